#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/configuration_parts.hpp"
#include "tests/daemon/configuration_fakes.hpp"

namespace vitald::daemon {
namespace {

using testing::HasSubstr;

struct Target final : probes::Probe {
  explicit Target(std::string text_) : text(std::move(text_)) {}
  probes::awaitable<Observation> run(probes::ProbeContext&) const override { co_return Observation{}; }
  std::string target() const override { return text; }
  std::string text;
};

CheckDraft draft(std::string name, const std::string& target, std::string probe = "tcp") {
  CheckDraft made;
  made.rules.name = std::move(name);
  made.rules.probe = std::move(probe);
  made.plan.probe = std::make_shared<const Target>(target);
  return made;
}

TEST(Network, remote_is_what_is_not_here) {
  const struct {
    const char* target;
    bool remote, near;
  } table[] = {{"example.com:443", true, false},
               {"example.com", true, false},
               {"intranet:80", true, false},
               {"203.0.113.9:25", true, false},
               {"[2001:db8::1]:443", true, false},
               {"10.0.0.5:3306", true, true},
               {"172.31.0.1:80", true, true},
               {"192.168.1.1:80", true, true},
               {"172.32.0.1:80", true, false},
               {"[fd00::1]:80", true, true},
               {"[fe80::1]:80", true, true},
               {"localhost:80", false, false},
               {"app.localhost:80", false, false},
               {"127.0.0.2:80", false, false},
               {"0.0.0.0:80", false, false},
               {"[::1]:80", false, false},
               {"web-1:80", false, false},
               {"/run/mysql.sock", false, false},
               {"file:/etc/passwd", false, false},
               {"log:", false, false},
               {"pm2 /home/app/.pm2", false, false},
               {"cpu", false, false},
               {"", false, false}};
  for (const auto& row : table) {
    std::vector<CheckDraft> drafts;
    drafts.push_back(draft("one", row.target));
    config::Problems problems;
    EXPECT_EQ(judge_network(drafts, "web-1", problems), "");
    EXPECT_EQ(drafts[0].rules.remote, row.remote) << row.target;
    EXPECT_EQ(drafts[0].rules.near, row.near) << row.target;
  }
}

TEST(Network, the_user_knows_better) {
  std::vector<CheckDraft> drafts;
  drafts.push_back(draft("one", "example.com:443"));
  drafts.push_back(draft("two", "journal"));
  drafts[0].remote = false;
  drafts[1].remote = true;
  config::Problems problems;
  judge_network(drafts, "web-1", problems);
  EXPECT_FALSE(drafts[0].rules.remote);
  EXPECT_TRUE(drafts[1].rules.remote);
}

TEST(Network, there_is_one_uplink_check_at_most) {
  std::vector<CheckDraft> drafts;
  drafts.push_back(draft("uplink", "uplink", "uplink"));
  config::Problems none;
  EXPECT_EQ(judge_network(drafts, "web-1", none), "uplink");
  EXPECT_FALSE(none.any_error());
  EXPECT_FALSE(drafts[0].rules.remote);
  drafts.push_back(draft("other", "uplink", "uplink"));
  config::Problems problems;
  EXPECT_EQ(judge_network(drafts, "web-1", problems), "uplink");
  ASSERT_TRUE(problems.any_error());
  EXPECT_THAT(problems.all().front().text(), HasSubstr("there is an uplink check already, 'uplink'"));
}

}  // namespace
}  // namespace vitald::daemon
