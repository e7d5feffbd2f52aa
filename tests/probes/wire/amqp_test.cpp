#include "probes/wire/amqp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/amqp_frames.hpp"

namespace vitald::wire {
namespace {

namespace amqp = vitald::testing::amqp;
using ::testing::HasSubstr;

AmqpFrame only_frame(const std::string& bytes) {
  AmqpReader reader;
  reader.feed(bytes);
  auto frame = reader.next();
  EXPECT_TRUE(frame && *frame);
  return frame && *frame ? **frame : AmqpFrame{};
}

template <class Message>
Message decoded(const std::string& bytes) {
  const auto message = amqp_decode(only_frame(bytes));
  EXPECT_TRUE(message) << message.failure().what;
  if (!message) return {};
  const auto* wanted = std::get_if<Message>(&*message);
  EXPECT_NE(wanted, nullptr) << "another kind of message: " << message->index();
  return wanted == nullptr ? Message{} : *wanted;
}

std::string read_failure(AmqpReader& reader, const std::string& bytes) {
  reader.feed(bytes);
  const auto frame = reader.next();
  return frame ? "none" : frame.failure().what;
}

std::string decode_failure(const std::string& bytes) {
  const auto message = amqp_decode(only_frame(bytes));
  return message ? "none" : message.failure().what;
}

TEST(AmqpReader, TakesFramesInAnyPieces) {
  const std::string all = amqp::start() + amqp::heartbeat() + amqp::tune() + amqp::declare_ok("orders", 3, 1);
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    AmqpReader reader;
    std::vector<std::size_t> channels;
    for (const auto& piece : {all.substr(0, cut), all.substr(cut)}) {
      reader.feed(piece);
      for (;;) {
        auto frame = reader.next();
        ASSERT_TRUE(frame) << "cut at " << cut << ": " << frame.failure().what;
        if (!*frame) break;
        channels.push_back((*frame)->channel);
      }
    }
    EXPECT_THAT(channels, ::testing::ElementsAre(0, 0, 0, 1)) << "cut at " << cut;
  }
}

TEST(AmqpReader, TakesFramesByteByByte) {
  AmqpReader reader;
  const std::string bytes = amqp::start();
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    reader.feed(bytes.substr(i, 1));
    const auto frame = reader.next();
    ASSERT_TRUE(frame && !*frame) << "at byte " << i;
    ASSERT_FALSE(reader.begun());
  }
  reader.feed(bytes.substr(bytes.size() - 1));
  const auto frame = reader.next();
  ASSERT_TRUE(frame && *frame);
  EXPECT_EQ((*frame)->payload.size(), bytes.size() - 8);
  EXPECT_TRUE(reader.begun());
}

TEST(AmqpReader, RefusesAFrameThatIsTooLongBeforeItComes) {
  AmqpReader huge;
  EXPECT_EQ(read_failure(huge, std::string("\1\0\0\xff\xff\xff\xff", 7)),
            "a frame of 4294967295 bytes, where 65536 are the most");
  AmqpReader largest({.frame_bytes = 10}), larger({.frame_bytes = 10});
  EXPECT_EQ(read_failure(largest, amqp::frame(1, 0, std::string(10, 'x'))), "none");
  EXPECT_THAT(read_failure(larger, amqp::frame(1, 0, std::string(11, 'x'))), HasSubstr("a frame of 11 bytes"));
}

TEST(AmqpReader, LooksAtTheEndOfAFrame) {
  AmqpReader reader;
  std::string bytes = amqp::tune();
  bytes.back() = '\xcd';
  EXPECT_EQ(read_failure(reader, bytes), "a frame does not end where it says");
}

TEST(AmqpReader, KnowsAnotherProtocolByItsFirstByte) {
  AmqpReader reader;
  EXPECT_EQ(read_failure(reader, "H"), "no frame begins with byte 72");
  EXPECT_FALSE(reader.wants());
  EXPECT_EQ(reader.rest(), "H");
  AmqpReader later;
  later.feed(amqp::heartbeat());
  ASSERT_TRUE(later.next());
  EXPECT_EQ(read_failure(later, "AMQP"), "no frame begins with byte 65");
}

TEST(AmqpReader, KnowsAProtocolHeaderInAnyPieces) {
  const std::string header("AMQP\0\1\0\0", 8);
  for (std::size_t cut = 1; cut < header.size(); ++cut) {
    AmqpReader reader;
    EXPECT_EQ(read_failure(reader, header.substr(0, cut)), "none");
    EXPECT_EQ(read_failure(reader, header.substr(cut)), "it speaks AMQP 1.0");
    ASSERT_TRUE(reader.wants());
  }
  AmqpReader almost;
  EXPECT_EQ(read_failure(almost, "AMX"), "no frame begins with byte 65");
}

TEST(AmqpReader, NamesVersionsAsPeopleDo) {
  EXPECT_EQ((AmqpVersion{0, 0, 9, 1}.text()), "0-9-1");
  EXPECT_EQ((AmqpVersion{3, 1, 0, 0}.text()), "1.0");
  EXPECT_EQ((AmqpVersion{1, 1, 0, 10}.text()), "0-10");
}

TEST(AmqpDecode, ReadsWhatABrokerSaysOfItself) {
  const auto start = decoded<AmqpStart>(amqp::start());
  EXPECT_EQ(start.major, 0);
  EXPECT_EQ(start.minor, 9);
  EXPECT_EQ(start.product, "RabbitMQ");
  EXPECT_EQ(start.version, "3.10.8");
  EXPECT_EQ(start.cluster_name, "rabbit@mq-1");
  EXPECT_TRUE(start.offers("PLAIN"));
  EXPECT_TRUE(start.offers("AMQPLAIN"));
  EXPECT_FALSE(start.offers("EXTERNAL"));
  EXPECT_FALSE(start.offers("AMQPLAI"));
  EXPECT_FALSE(start.offers(""));
}

TEST(AmqpDecode, PassesOverFieldsOfEveryType) {
  std::string table;
  for (const char type : std::string("tbB")) table += amqp::field("x", type, std::string(1, '\1'));
  for (const char type : std::string("suU")) table += amqp::field("x", type, std::string(2, '\1'));
  for (const char type : std::string("Iif")) table += amqp::field("x", type, std::string(4, '\1'));
  for (const char type : std::string("lLdT")) table += amqp::field("x", type, std::string(8, '\1'));
  table += amqp::field("x", 'D', std::string(5, '\1'));
  table += amqp::field("x", 'V', "") + amqp::field("x", 'x', amqp::long_text("bytes"));
  table += amqp::field("x", 'A', amqp::long_text("t\1s" + std::string(2, '\1')));
  // Only texts at the top count: this one is somebody else's.
  table += amqp::field("x", 'F', amqp::long_text(amqp::field("product", 'S', amqp::long_text("Other"))));
  table += amqp::field("product", 'S', amqp::long_text("RabbitMQ"));
  EXPECT_EQ(decoded<AmqpStart>(amqp::start(table)).product, "RabbitMQ");
  EXPECT_EQ(decode_failure(amqp::start(amqp::field("x", '?', ""))), "a table holds a field of the unknown type 63");
}

TEST(AmqpDecode, BoundsTables) {
  const auto nested = [](int depth, char type) {
    std::string table = amqp::field("x", 't', "\1");
    for (int i = 0; i < depth; ++i)
      table =
          type == 'A' ? "A" + amqp::long_text(i == 0 ? "t\1" : table) : amqp::field("x", 'F', amqp::long_text(table));
    return amqp::start(type == 'A' ? amqp::short_text("x") + table : table);
  };
  for (const char type : {'F', 'A'}) {
    EXPECT_EQ(decode_failure(nested(7, type)), "none");
    EXPECT_EQ(decode_failure(nested(8, type)), "tables are nested more than 8 deep");
    EXPECT_EQ(decode_failure(nested(2000, type)), "tables are nested more than 8 deep");
  }
  std::string fields;
  for (int i = 0; i < 256; ++i) fields += amqp::field("", 'V', "");
  EXPECT_EQ(decode_failure(amqp::start(fields)), "none");
  EXPECT_EQ(decode_failure(amqp::start(fields + amqp::field("", 'V', ""))), "a table has more than 256 fields");
  EXPECT_EQ(decode_failure(amqp::start(fields + amqp::field("", 'S', amqp::long_text("")))),
            "a table has more than 256 fields");
  EXPECT_EQ(decode_failure(amqp::start(amqp::field("x", 'A', amqp::long_text(std::string(300, 'V'))))),
            "a table has more than 256 fields");
}

TEST(AmqpDecode, KeepsABoundedPartOfTexts) {
  const std::string table = amqp::field("product", 'S', amqp::long_text(std::string(5000, 'p')));
  const auto start = decoded<AmqpStart>(amqp::start(table, std::string(5000, 'm')));
  EXPECT_EQ(start.product.size(), 256u);
  EXPECT_EQ(start.mechanisms.size(), 256u);
}

TEST(AmqpDecode, NoticesEveryCut) {
  for (const auto& bytes : {amqp::start(), amqp::tune(), amqp::close(403, "no"), amqp::blocked("low on memory"),
                            amqp::channel_close(404, "no queue"), amqp::declare_ok("orders", 1, 2)}) {
    const AmqpFrame whole = only_frame(bytes);
    // A server's locales are not read, so a cut through them goes unnoticed.
    const std::size_t needed = whole.payload.size() - (bytes == amqp::start() ? amqp::long_text("en_US").size() : 0);
    for (std::size_t size = 0; size < needed; ++size) {
      AmqpFrame cut = whole;
      cut.payload.resize(size);
      EXPECT_FALSE(amqp_decode(cut)) << "at " << size << " of " << needed;
    }
    EXPECT_TRUE(amqp_decode(whole));
  }
}

TEST(AmqpDecode, ReadsTheOtherMethods) {
  const auto tune = decoded<AmqpTune>(amqp::tune(2047, 131072, 60));
  EXPECT_EQ(tune.channel_max, 2047);
  EXPECT_EQ(tune.frame_max, 131072u);
  EXPECT_EQ(tune.heartbeat, 60);
  const auto close = decoded<AmqpClose>(amqp::close(530, "NOT_ALLOWED - vhost x not found"));
  EXPECT_EQ(close.code, 530);
  EXPECT_EQ(close.text, "NOT_ALLOWED - vhost x not found");
  const auto gone = decoded<AmqpChannelClose>(amqp::channel_close(404, "NOT_FOUND"));
  EXPECT_EQ(gone.code, 404);
  EXPECT_EQ(gone.text, "NOT_FOUND");
  const auto declared = decoded<AmqpDeclareOk>(amqp::declare_ok("orders", 4000000000, 7));
  EXPECT_EQ(declared.queue, "orders");
  EXPECT_EQ(declared.messages, 4000000000u);
  EXPECT_EQ(declared.consumers, 7u);
  EXPECT_EQ(decoded<AmqpBlocked>(amqp::blocked("low on memory")).why, "low on memory");
  decoded<AmqpUnblocked>(amqp::unblocked());
  decoded<AmqpOpenOk>(amqp::open_ok());
  decoded<AmqpCloseOk>(amqp::close_ok());
  decoded<AmqpChannelOpenOk>(amqp::channel_open_ok());
  decoded<AmqpHeartbeat>(amqp::heartbeat());
  EXPECT_EQ(decoded<AmqpOther>(amqp::method(1, 60, 60, "")).class_id, 60);
  EXPECT_EQ(decoded<AmqpOther>(amqp::frame(3, 1, "content")).class_id, 0);
}

TEST(AmqpEncode, WritesWhatTheSpecificationSays) {
  EXPECT_EQ(amqp_protocol_header(), std::string("AMQP\0\0\x09\1", 8));
  EXPECT_EQ(amqp_tune_ok({.channel_max = 1, .frame_max = 65536, .heartbeat = 0}),
            amqp::method(0, 10, 31, std::string("\0\1\0\1\0\0\0\0", 8)));
  EXPECT_EQ(amqp_open("/shop"), amqp::method(0, 10, 40, std::string("\5/shop\0\0", 8)));
  EXPECT_EQ(amqp_close(200, "bye"), amqp::method(0, 10, 50, std::string("\0\xc8\3bye\0\0\0\0", 10)));
  EXPECT_EQ(amqp_close_ok(), amqp::method(0, 10, 51, ""));
  EXPECT_EQ(amqp_channel_open(1), amqp::method(1, 20, 10, std::string("\0", 1)));
  EXPECT_EQ(amqp_channel_close_ok(1), amqp::method(1, 20, 41, ""));
  EXPECT_EQ(amqp_declare_passive(1, "q"), amqp::method(1, 50, 10, std::string("\0\0\1q\1\0\0\0\0", 9)));
}

TEST(AmqpEncode, LogsInAndAsksToBeToldOfARefusal) {
  const AmqpFrame frame = only_frame(amqp_start_ok("vitald", "s3cret"));
  EXPECT_EQ(frame.payload.substr(0, 4), std::string("\0\x0a\0\x0b", 4));
  EXPECT_THAT(frame.payload, HasSubstr(std::string("authentication_failure_closet\1")));
  EXPECT_THAT(frame.payload, HasSubstr(std::string("connection.blockedt\1")));
  EXPECT_THAT(frame.payload, HasSubstr(std::string("connection_nameS\0\0\0\6vitald", 26)));
  EXPECT_TRUE(frame.payload.ends_with(amqp::short_text("PLAIN") + amqp::long_text(std::string("\0vitald\0s3cret", 14)) +
                                      amqp::short_text("en_US")));
}

TEST(AmqpEncode, CutsNamesThatAreTooLong) {
  const std::string open = amqp_open(std::string(300, 'v'));
  EXPECT_EQ(only_frame(open).payload.size(), 4 + 1 + 255 + 2u);
}

}  // namespace
}  // namespace vitald::wire
