#include "config/reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "config/document.hpp"
#include "config/schema.hpp"

namespace vitald::config {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

struct Target {
  std::string url;
  std::int64_t retries = 0;
  Duration pause{};
  std::uint64_t most = 0;
  bool follow = false;
  std::string method;
  std::vector<std::string> hosts;
  TextMap::value_type headers;
  Severity severity = Severity::p2;
  std::string user;
  bool authenticated = false;
  std::vector<std::string> names;
};

Target parse(Reader& in) {
  Target target;
  target.url = in.required("url", Text{}, "Address to fetch");
  target.retries = in.optional("retries", Integer{0, 10}, 3, "How often");
  target.pause = in.optional("pause", Length{1ms, 1min}, 5s, "How long between | tries");
  target.most = in.optional("most", Bytes{}, 1024, "How much");
  target.follow = in.optional("follow", Boolean{}, true, "Follow redirects");
  target.method = in.optional("method", OneOf{{"GET", "HEAD"}}, "GET", "Request method");
  target.hosts = in.optional("hosts", ListOf<Text>{{}, true}, {}, "Names");
  target.headers = in.optional("headers", TextMap{}, {}, "Request headers");
  target.severity = in.optional("severity", SeverityWord{}, Severity::p2, "How bad");
  target.authenticated = in.object("login", "Who asks", [&](Reader& login) {
    target.user = login.required("user", Text{}, "Name");
    login.maybe("password", SecretText{}, "Secret");
  });
  in.objects("steps", "What to do",
             [&](Reader& step) { target.names.push_back(step.required("name", Text{}, "Name")); });
  return target;
}

struct Outcome {
  Target target;
  std::string said;
  std::size_t secrets = 0;
};

Outcome read(std::string_view text) {
  Problems problems;
  const Node node = parse_text(text, "t.yaml", problems);
  Reader in(node, "check x", problems);
  Outcome outcome{parse(in), {}, {}};
  in.finish();
  problems.sort();
  outcome.secrets = in.secrets().size();
  outcome.said = render_problems(problems);
  return outcome;
}

TEST(Reader, reads_what_is_there) {
  const auto [target, said, secrets] = read(
      "{ url: http://x, retries: 7, pause: 200ms, most: 2KiB, follow: false, method: HEAD, hosts: a, headers: { A: b "
      "},\n"
      "  severity: P0, login: { user: me, password: { env: PW } }, steps: [ { name: one }, { name: two } ] }");
  EXPECT_EQ(said, "");
  EXPECT_EQ(target.url, "http://x");
  EXPECT_EQ(target.retries, 7);
  EXPECT_EQ(target.pause, 200ms);
  EXPECT_EQ(target.most, 2048u);
  EXPECT_FALSE(target.follow);
  EXPECT_EQ(target.method, "HEAD");
  EXPECT_EQ(target.hosts, std::vector<std::string>{"a"});
  EXPECT_EQ(target.headers, (TextMap::value_type{{"A", "b"}}));
  EXPECT_EQ(target.severity, Severity::p0);
  EXPECT_TRUE(target.authenticated);
  EXPECT_EQ(target.user, "me");
  EXPECT_EQ(target.names, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(secrets, 1u);
}

TEST(Reader, falls_back_where_nothing_is) {
  const auto [target, said, secrets] = read("{ url: http://x }");
  EXPECT_EQ(said, "");
  EXPECT_EQ(target.retries, 3);
  EXPECT_EQ(target.pause, 5s);
  EXPECT_TRUE(target.follow);
  EXPECT_FALSE(target.authenticated);
}

TEST(Reader, every_mistake_is_said_where_it_stands) {
  const std::pair<const char*, const char*> table[] = {
      {"{ retries: 1 }", "t.yaml:1:1: error: check x needs 'url': Address to fetch\n"},
      {"{ ulr: http://x }", "t.yaml:1:3: error: unknown key 'ulr' in check x; did you mean 'url'?\n"},
      {"{ url: x, pasue: 5s }", "t.yaml:1:11: error: unknown key 'pasue' in check x; did you mean 'pause'?\n"},
      {"{ url: x, frobnicate: 5s }",
       "t.yaml:1:11: error: unknown key 'frobnicate' in check x; possible are: url, retries"},
      {"{ url: x, retries: 11 }", "t.yaml:1:20: error: 'retries': expected a whole number from 0 to 10, found '11'\n"},
      {"{ url: x, retries: \"3\" }", "without quotes, found '3'"},
      {"{ url: x, retries: 1.5 }", "expected a whole number from 0 to 10, found '1.5'"},
      {"{ url: x, retries: [ 1 ] }", "expected a whole number from 0 to 10, found a list"},
      {"{ url: x, pause: 30 }",
       "'pause': expected a duration such as 30s (units: ns, us, ms, s, m, h, d, w), found '30'"},
      {"{ url: x, pause: 5m }", "'pause': expected a duration from 1ms to 1m, found '5m'"},
      {"{ url: x, pause: }", "'pause': expected a duration such as 30s, found nothing"},
      {"{ url: x, most: 10 }", "'most': expected a size such as 10GiB"},
      {"{ url: x, follow: yes }", "'follow': expected true or false, found 'yes'"},
      {"{ url: x, method: HEDA }", "'method': expected GET or HEAD, found 'HEDA'; did you mean 'HEAD'?"},
      {"{ url: x, hosts: [ a, [ b ] ] }", "t.yaml:1:23: error: expected text, found a list"},
      {"{ url: x, hosts: { a: b } }", "'hosts': expected text, found a mapping"},
      {"{ url: x, headers: { A: [ b ] } }", "'A': expected text, found a list"},
      {"{ url: x, headers: { A: \"b\\r\\nC: d\" } }", "'A': line breaks and control characters are not possible here"},
      {"{ url: \"\\e[31m\" }", "'url': control characters are not possible here"},
      {"{ url: '' }", "'url': expected text, found an empty one"},
      {"{ url: x, severity: p0 }", "expected P0, P1, P2 or P3, found 'p0'; did you mean 'P0'?"},
      {"{ url: x, login: { usr: me } }",
       "t.yaml:1:20: error: unknown key 'usr' in check x, login; did you mean 'user'?\n"},
      {"{ url: x, login: me }", "check x, login: expected a mapping, found text"},
      {"{ url: x, steps: { name: a } }", "'steps': expected a list of mappings, found a mapping"},
      {"{ url: x, steps: [ { nmae: a } ] }", "did you mean 'name'?"},
      {"[ url ]", "t.yaml:1:1: error: check x: expected a mapping, found a list\n"},
  };
  for (const auto& [text, said] : table) EXPECT_THAT(read(text).said, HasSubstr(said)) << text;
}

TEST(Reader, a_misspelt_required_key_is_one_mistake) {
  EXPECT_EQ(read("{ ulr: http://x }").said, "t.yaml:1:3: error: unknown key 'ulr' in check x; did you mean 'url'?\n");
}

TEST(Reader, secrets_have_three_safe_forms) {
  for (const char* form : {"{ file: /etc/x }", "{ env: PW_1 }", "{ credential: my-sql.pw }"}) {
    const auto outcome = read("{ url: x, login: { user: a, password: " + std::string(form) + " } }");
    EXPECT_EQ(outcome.said, "") << form;
    EXPECT_EQ(outcome.secrets, 1u);
  }
  const auto plain = read("{ url: x, login: { user: a, password: hunter2 } }");
  EXPECT_EQ(plain.secrets, 1u);
  EXPECT_THAT(plain.said, HasSubstr("t.yaml:1:39: warning: a secret stands in the configuration file"));
  for (const char* wrong :
       {"{ file: etc/hunter2 }", "{ env: hunter2-x }", "{ credential: ../hunter2 }", "{ credential: .. }",
        "{ fiel: /hunter2 }", "{ file: /hunter2, env: hunter2 }", "[ hunter2 ]", "{ file: [ hunter2 ] }", "{}", "''"}) {
    const auto outcome = read("{ url: x, login: { user: a, password: " + std::string(wrong) + " } }");
    EXPECT_THAT(outcome.said, HasSubstr("error: ")) << wrong;
    EXPECT_THAT(outcome.said, testing::Not(HasSubstr("hunter2"))) << wrong;
  }
}

TEST(Reader, describes_what_it_asks_for) {
  Reader in = Reader::describing();
  parse(in);
  in.finish();
  const auto schema = nlohmann::json::parse(object_schema(in.options()));
  EXPECT_EQ(schema["required"], nlohmann::json::array({"url"}));
  EXPECT_EQ(schema["additionalProperties"], false);
  EXPECT_EQ(schema["properties"]["retries"]["maximum"], 10);
  EXPECT_EQ(schema["properties"]["retries"]["default"], 3);
  EXPECT_EQ(schema["properties"]["pause"]["default"], "5s");
  EXPECT_EQ(schema["properties"]["login"]["required"], nlohmann::json::array({"user"}));
  EXPECT_EQ(schema["properties"]["steps"]["items"]["properties"]["name"]["description"], "Name");
  const std::string table = option_table(in.options());
  EXPECT_THAT(table, HasSubstr("| `url` | text | required | Address to fetch |\n"));
  EXPECT_THAT(table, HasSubstr("| `pause` | duration | `5s` | How long between \\| tries |\n"));
  EXPECT_THAT(table, HasSubstr("| `login.user` | text | required | Name |\n"));
}

TEST(Suggestion, is_close_or_nothing) {
  const std::vector<std::string> known = {"timeout", "every", "url", "port", "P0", "expect"};
  const std::pair<const char*, const char*> table[] = {{"tiemout", "timeout"},
                                                       {"timeuot", "timeout"},
                                                       {"time_out", "timeout"},
                                                       {"Timeout", "timeout"},
                                                       {"evry", "every"},
                                                       {"ulr", "url"},
                                                       {"prot", "port"},
                                                       {"p0", "P0"},
                                                       {"expects", "expect"},
                                                       {"tmiot", ""},
                                                       {"banana", ""},
                                                       {"", ""},
                                                       {"x", ""},
                                                       {"urls", "url"}};
  for (const auto& [word, expected] : table) EXPECT_EQ(suggestion(word, known), expected) << word;
}

}  // namespace
}  // namespace vitald::config
