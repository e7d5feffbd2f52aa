#include "probes/rabbitmq_management.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "probes/rabbitmq_json.hpp"
#include "tests/probes/rabbitmq_kit.hpp"

namespace vitald::probes {
namespace {

namespace amqp = vitald::testing::amqp;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using vitald::testing::FakeNetwork;
using vitald::testing::find_row;
using vitald::testing::rabbitmq_check;
using vitald::testing::run_rabbitmq;
using vitald::testing::Surroundings;

const std::string managed =
    "user: vitald\npassword: s3cret\nmanagement: { url: 'http://mq:15672', queues: [ 'orders.*' ] }";

std::string http(const std::string& status, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

const std::string nodes_json = R"([{"name":"rabbit@mq-1","running":true,"mem_alarm":false,
  "disk_free_alarm":false,"mem_used":139194368,"mem_limit":10110607360,"disk_free":66013310976,
  "fd_used":41,"fd_total":20000,"partitions":[]}])";
const std::string queues_json = R"({"filtered_count":2,"items":[
  {"name":"orders.eu","messages_ready":3,"messages_unacknowledged":2,"consumers":1,"state":"running"},
  {"name":"orders.us","messages_ready":0,"messages_unacknowledged":0,"consumers":1,"state":"running"}]})";

/// A broker without queues over AMQP, and a management API that says this; "" leaves the good answer.
struct Managed {
  std::string nodes = http("200 OK", nodes_json);
  std::string alarms = http("200 OK", R"({"status":"ok"})");
  std::string overview = http("200 OK", R"({"object_totals":{"connections":17,"queues":5}})");
  std::string queues = http("200 OK", queues_json);

  Observation judge(const std::string& yaml = managed) {
    FakeNetwork network;
    network.answer({amqp::start(), amqp::tune(), amqp::open_ok(), amqp::close_ok()});
    for (const auto& each : {nodes, alarms, overview, queues}) network.answer({each});
    const auto check = rabbitmq_check(yaml);
    auto seen = rabbitmq::judge(check, run_rabbitmq(network, check));
    sent = network.sent;
    EXPECT_EQ(seen.summary.find("s3cret"), std::string::npos);
    return seen;
  }
  std::string sent;
};

TEST(RabbitmqManagement, TellsOfNodesAndQueues) {
  Managed broker;
  const auto seen = broker.judge();
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "orders.eu: 3 messages, 2 unacknowledged, 1 consumer (the fullest of 2 queues)");
  EXPECT_EQ(find_row(seen, "unacknowledged", "orders.eu")->value, 2);
  EXPECT_EQ(find_row(seen, "memory_used", "rabbit@mq-1")->maximum, 10110607360);
  EXPECT_EQ(find_row(seen, "disk_free")->value, 66013310976);
  EXPECT_EQ(find_row(seen, "descriptors_used")->maximum, 20000);
  EXPECT_EQ(find_row(seen, "connections")->value, 17);
  EXPECT_THAT(broker.sent, HasSubstr("Authorization: Basic dml0YWxkOnMzY3JldA==\r\n"));
  EXPECT_THAT(broker.sent, HasSubstr("GET /api/queues/%2F?page=1&page_size=50&"));
}

TEST(RabbitmqManagement, AsksForNamesAndPatternsAtOnce) {
  const auto check = rabbitmq_check(
      "vhost: a/b\nqueues: [ 'x.y*' ]\nmanagement: { url: 'http://mq:1/', queues: [ 'orders.*', 'q?' ] }");
  EXPECT_THAT(rabbitmq::queues_path(check), HasSubstr("/api/queues/a%2Fb?"));
  EXPECT_THAT(rabbitmq::queues_path(check), HasSubstr("&name=%5E%28%3F%3Ax%5C.y%5C%2A%7Corders%5C..%2A%7Cq.%29%24&"));
}

TEST(RabbitmqManagement, AddsToWhatAmqpTold) {
  FakeNetwork network;
  network.answer({amqp::start(), amqp::tune(), amqp::open_ok(), amqp::channel_open_ok(),
                  amqp::declare_ok("orders.eu", 8, 4), amqp::close_ok()});
  for (const auto& each : {Managed{}.nodes, Managed{}.alarms, Managed{}.overview, Managed{}.queues})
    network.answer({each});
  const auto check = rabbitmq_check("queues: orders.eu\nmanagement: { url: 'http://mq:15672' }");
  const auto seen = rabbitmq::judge(check, run_rabbitmq(network, check));
  EXPECT_EQ(find_row(seen, "messages", "orders.eu")->value, 8) << "AMQP is exact to the moment";
  EXPECT_EQ(find_row(seen, "consumers", "orders.eu")->value, 4);
  EXPECT_EQ(find_row(seen, "unacknowledged", "orders.eu")->value, 2);
}

TEST(RabbitmqManagement, AnAlarmIsTold) {
  Managed broker;
  broker.alarms =
      http("503 Service Unavailable",
           R"({"status":"failed","reason":"There are alarms","alarms":[{"node":"rabbit@mq-1","resource":"memory"}]})");
  const auto seen = broker.judge();
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.reason, "alarm");
  EXPECT_EQ(seen.summary, "memory alarm on rabbit@mq-1: publishers are blocked");
  EXPECT_NE(find_row(seen, "messages", "orders.eu"), nullptr);

  Managed old;  // one that has no health checks yet
  old.alarms = http("404 Not Found", "{}");
  old.nodes = http("200 OK", R"([{"name":"rabbit@a","disk_free_alarm":true}])");
  EXPECT_EQ(old.judge().summary, "disk alarm on rabbit@a: publishers are blocked");

  Managed over;  // the nodes' own flags are a few seconds old
  over.nodes = http("200 OK", R"([{"name":"rabbit@a","mem_alarm":true}])");
  EXPECT_EQ(over.judge().outcome, Outcome::answered);
}

TEST(RabbitmqManagement, ABrokenClusterIsTold) {
  Managed parted;
  parted.nodes =
      http("200 OK", R"([{"name":"rabbit@a","partitions":["rabbit@b"]},{"name":"rabbit@b","running":false}])");
  const auto seen = parted.judge();
  EXPECT_EQ(seen.reason, "partition");
  EXPECT_THAT(seen.summary, HasSubstr("rabbit@a is cut off from rabbit@b"));
  EXPECT_EQ(seen.evidence.back().text, "rabbit@b of the cluster is down");
}

TEST(RabbitmqManagement, AQueueThatIsDownOrMissingIsTold) {
  Managed broker;
  broker.queues = http("200 OK", R"({"filtered_count":1,"items":[{"name":"orders.eu","state":"crashed"}]})");
  const auto down = broker.judge();
  EXPECT_EQ(down.reason, "queue_down");
  EXPECT_EQ(down.summary, "orders.eu: the queue is crashed");
  EXPECT_EQ(find_row(down, "messages"), nullptr);
  broker.queues = http("200 OK", R"({"filtered_count":0,"items":[]})");
  EXPECT_EQ(broker.judge().summary, "orders.*: no such queue in virtual host '/'");
}

TEST(RabbitmqManagement, OfTooManyQueuesTheFullestAreSeen) {
  Managed broker;
  broker.queues = http("200 OK", R"({"filtered_count":73,"items":[{"name":"mail","messages_ready":1,"consumers":1}]})");
  const auto seen = broker.judge();
  EXPECT_EQ(seen.outcome, Outcome::answered) << "those of the pattern may be among the rest";
  EXPECT_EQ(seen.evidence.back().text, "73 match; only the fullest 1 are looked at");
}

TEST(RabbitmqManagement, ItsTroubleIsOursAndHidesNothing) {
  const auto reason = [](Managed broker) {
    const auto seen = broker.judge();
    EXPECT_EQ(seen.outcome, Outcome::unmeasured) << seen.summary;
    EXPECT_FALSE(seen.remedy.empty());
    return seen.reason + ": " + seen.summary;
  };
  EXPECT_EQ(reason({.nodes = http("401 Unauthorized", R"({"error":"not_authorized","reason":"Login failed"})")}),
            "management_refused: the broker answers, but its management API refuses user 'vitald': Login failed");
  EXPECT_THAT(reason({.nodes = http("404 Not Found", "")}), HasSubstr("management_missing: "));
  EXPECT_THAT(
      reason({.nodes = http("200 OK", "<html>")}),
      HasSubstr("management_unreadable: the management API answers /api/nodes with something else: not valid JSON"));
  EXPECT_THAT(reason({.nodes = http("200 OK", "[]")}), HasSubstr("management_unreadable"));
  EXPECT_THAT(reason({.overview = http("500 Internal Server Error", "")}), HasSubstr("status 500"));
  EXPECT_THAT(reason({.queues = "HTTP/1.1 200 OK\r\n\r\n" + std::string(300 * 1024, ' ')}),
              HasSubstr("more than 256 KiB"));
  EXPECT_THAT(reason({.queues = ""}), HasSubstr("management_unreachable: the broker answers, but"));

  Managed late{.queues = http("401 Unauthorized", "")};
  EXPECT_NE(find_row(late.judge(), "memory_used"), nullptr) << "what was learnt before stays";
  Managed stranger{.nodes = http("401 Unauthorized", R"({"reason":"Not management user"})")};
  EXPECT_EQ(stranger.judge().remedy, "run: rabbitmqctl set_user_tags vitald monitoring");
}

TEST(RabbitmqManagement, AFaultOfTheBrokerOutranksTroubleOfTheManagement) {
  Managed broker{
      .alarms = http("503 Service Unavailable", R"({"status":"failed","alarms":[{"node":"a","resource":"disk"}]})"),
      .queues = http("401 Unauthorized", "")};
  const auto seen = broker.judge();
  EXPECT_EQ(seen.reason, "alarm");
  EXPECT_THAT(seen.evidence.back().text, HasSubstr("refuses user"));
}

TEST(RabbitmqManagement, LargeAnswersAreReadByAWorker) {
  FakeNetwork network;
  network.answer({amqp::start(), amqp::tune(), amqp::open_ok(), amqp::close_ok()});
  const std::string padded = http("200 OK", nodes_json + std::string(20'000, ' '));
  for (const auto& each : {padded, Managed{}.alarms, Managed{}.overview, Managed{}.queues}) network.answer({each});
  Surroundings around;
  around.network = &network;
  const auto facts = around.run(rabbitmq::run, rabbitmq_check(managed));
  EXPECT_THAT(around.workers.keys, ElementsAre("management API of mq:15672"));
  EXPECT_EQ(facts.management->nodes.size(), 1u);
}

TEST(RabbitmqJson, TakesABoundedNumberOfRowsAndNoNonsense) {
  auto nodes = nlohmann::json::array(), items = nlohmann::json::array();
  for (int i = 0; i < 100; ++i) {
    nodes.push_back({{"name", "rabbit@" + std::to_string(i)}, {"mem_used", -5}, {"fd_used", "many"}});
    items.push_back({{"name", "q" + std::to_string(i)}, {"messages_ready", 1e300}});
  }
  const auto read = rabbitmq::read_nodes(nodes.dump());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->size(), 16u);
  EXPECT_FALSE(read->front().memory_used || read->front().descriptors_used);
  const auto list = rabbitmq::read_queue_list(nlohmann::json{{"items", items}}.dump());
  ASSERT_TRUE(list);
  EXPECT_EQ(list->queues.size(), 50u);
  EXPECT_FALSE(list->queues.front().ready);
  EXPECT_FALSE(rabbitmq::read_queue_list("[]"));
  EXPECT_FALSE(rabbitmq::read_nodes("{}"));
  EXPECT_FALSE(rabbitmq::read_alarms("{}"));
  EXPECT_FALSE(rabbitmq::read_connections("[]"));
  EXPECT_FALSE(rabbitmq::read_nodes(std::string(1000, '[')));
}

}  // namespace
}  // namespace vitald::probes
