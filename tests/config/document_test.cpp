#include "config/document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/config/scratch.hpp"

namespace vitald::config {
namespace {

using test::Scratch;
using testing::HasSubstr;

std::string complaints(std::string_view text, const Bounds& bounds = {}) {
  Problems problems;
  parse_text(text, "t.yaml", problems, bounds);
  return render_problems(problems);
}

std::string load_complaints(const std::filesystem::path& path, Node* root = nullptr, const Bounds& bounds = {}) {
  Problems problems;
  Node loaded = load_document(path, problems, bounds);
  if (root != nullptr) *root = std::move(loaded);
  return render_problems(problems);
}

TEST(Document, remembers_where_everything_stood) {
  Problems problems;
  const Node root = parse_text("a: 1\nb:\n  - x\n  - \"5\"\nc: { d: yes, e: }\n", "t.yaml", problems);
  EXPECT_EQ(render_problems(problems), "");
  ASSERT_EQ(root.kind, Node::Kind::mapping);
  EXPECT_EQ(root.members[0].at.text(), "t.yaml:1:1");
  EXPECT_EQ(root.find("a")->at.text(), "t.yaml:1:4");
  EXPECT_EQ(root.find("b")->items[1].at.text(), "t.yaml:4:5");
  EXPECT_TRUE(root.find("b")->items[1].quoted);
  EXPECT_FALSE(root.find("b")->items[0].quoted);
  EXPECT_EQ(root.find("c")->find("d")->scalar, "yes");
  EXPECT_EQ(root.find("c")->find("e")->kind, Node::Kind::null);
  EXPECT_EQ(root.find("z"), nullptr);
}

TEST(Document, json_is_yaml) {
  Problems problems;
  const Node root = parse_text("{\"a\": {\"b\": [1, \"two\"]}}", "t.json", problems);
  EXPECT_EQ(render_problems(problems), "");
  EXPECT_EQ(root.find("a")->find("b")->items[1].scalar, "two");
}

TEST(Document, what_is_no_yaml_is_said_with_its_place) {
  const std::pair<std::string, const char*> table[] = {
      {"a: 1\na: 2\n", "t.yaml:2:1: error: 'a' stands twice in the same mapping, first at t.yaml:1:1\n"},
      {"a: { b: 1, c: 2, b: 3 }", "t.yaml:1:18: error: 'b' stands twice in the same mapping, first at t.yaml:1:6\n"},
      {"a:\n\t- b\n", "t.yaml:2:2: error: a tab cannot indent YAML; use spaces\n"},
      {"a: 1\n---\nb: 2\n", "t.yaml:2:1: error: expected one document in a file"},
      {"a: [ 1, 2\nb: 3\n", "this '[' has no ']'"},
      {"a: \"open\n", "error: the file ends inside of a quoted text"},
      {"a: 'open", "error: the file ends inside of a quoted text"},
      {"a: *nothing\n", "t.yaml:1:4: error: "},
      {"a: &x [ *x ]\n", "t.yaml:1:9: error: this alias stands inside of what it refers to"},
      {"? [a]\n: b\n", "expected a key, found a list or a mapping"},
      {": b\n", "expected a key, found nothing"},
      {"a: !ruby/object x\n", "t.yaml:1:4: error: YAML tags such as '!ruby/object' have no meaning here"},
      {"x: &x { a: 1 }\ny: { <<: *x }\n", "merge keys ('<<') are not supported"},
      {"a: b\xff\n", "t.yaml:1:5: error: the byte 0xff is not UTF-8"},
      {"ab: \xc0\xaf\n", "t.yaml:1:5: error: the byte 0xc0 is not UTF-8"},
      {std::string("a: b\0c\n", 7), "t.yaml:1:5: error: the control character 0x00"},
      {"a: \x1b[31m\n", "t.yaml:1:4: error: the control character 0x1b"},
  };
  for (const auto& [text, expected] : table) EXPECT_THAT(complaints(text), HasSubstr(expected)) << text;
}

TEST(Document, limits_hold) {
  EXPECT_THAT(complaints(std::string(9u << 20, ' ')), HasSubstr("is larger than 8192 KiB"));
  EXPECT_THAT(complaints(std::string(100, '[') + std::string(100, ']')),
              HasSubstr("t.yaml:1:33: error: lists and mappings are nested deeper than 32 levels"));
  std::string deep;
  for (int i = 0; i < 60; ++i) deep += std::string(static_cast<std::size_t>(i) * 2, ' ') + "a:\n";
  EXPECT_THAT(complaints(deep), HasSubstr("nested deeper than 32 levels"));
  EXPECT_EQ(complaints(std::string(32, '[') + std::string(32, ']')), "");
}

TEST(Document, a_billion_laughs_are_not_laughed) {
  std::string bomb = "a0: &a0 [ lol, lol, lol, lol, lol, lol, lol, lol, lol ]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [ " + last;
    for (int k = 0; k < 8; ++k) bomb += ", " + last;
    bomb += " ]\n";
  }
  EXPECT_THAT(complaints(bomb), HasSubstr("values, expanded aliases included"));
  // Deep by aliases alone.
  std::string tower = "a0: &a0 [ x ]\n";
  for (int i = 1; i < 40; ++i)
    tower += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [ *a" + std::to_string(i - 1) + " ]\n";
  EXPECT_THAT(complaints(tower), HasSubstr("nested deeper than 32 levels"));
}

TEST(Document, an_alias_is_expanded) {
  Problems problems;
  const Node root = parse_text("a: &x { b: 1 }\nc: *x\n", "t.yaml", problems);
  EXPECT_EQ(render_problems(problems), "");
  EXPECT_EQ(root.find("c")->find("b")->scalar, "1");
}

TEST(Document, includes_are_joined_in_name_order) {
  const Scratch scratch;
  scratch.write("conf.d/b.yaml", "checks: { b: { probe: tcp } }\nlist: [ 3 ]\n");
  scratch.write("conf.d/a.yaml", "checks: { a: { probe: tcp } }\nlist: [ 2 ]\n");
  scratch.write("conf.d/empty.yaml", "# nothing yet\n");
  const auto main = scratch.write("main.yaml", "include: conf.d/*.yaml\nchecks: { m: { probe: tcp } }\nlist: [ 1 ]\n");
  Node root;
  EXPECT_EQ(load_complaints(main, &root), "");
  std::string names;
  for (const auto& member : root.find("checks")->members) names += member.key;
  EXPECT_EQ(names, "mab");
  EXPECT_EQ(root.find("list")->items[2].scalar, "3");
  EXPECT_EQ(root.find("include"), nullptr);
}

TEST(Document, the_same_name_in_two_files_names_both_places) {
  const Scratch scratch;
  const auto other = scratch.write("other.yaml", "checks:\n  api: { probe: tcp }\ninstance: two\n");
  const auto main =
      scratch.write("main.yaml", "include: [ other.yaml ]\ninstance: one\nchecks:\n  api: { probe: http }\n");
  const std::string said = load_complaints(main);
  EXPECT_THAT(said,
              HasSubstr(other.string() + ":2:3: error: 'api' stands in two files, first at " + main.string() + ":4:3"));
  EXPECT_THAT(said, HasSubstr(other.string() + ":3:1: error: 'instance' stands in two files, first at " +
                              main.string() + ":2:1"));
}

TEST(Document, include_loops_end) {
  const Scratch scratch;
  scratch.write("b.yaml", "include: a.yaml\n");
  const auto a = scratch.write("a.yaml", "include: b.yaml\n");
  EXPECT_THAT(load_complaints(a), HasSubstr("b.yaml:1:10: error: a file cannot include itself: "));
  const auto self = scratch.write("self.yaml", "include: self.yaml\n");
  EXPECT_THAT(load_complaints(self), HasSubstr("cannot include itself"));
  std::filesystem::create_symlink("link1.yaml", scratch / "link2.yaml");
  std::filesystem::create_symlink("link2.yaml", scratch / "link1.yaml");
  EXPECT_THAT(load_complaints(scratch / "link1.yaml"), HasSubstr("cannot be read: "));
  for (int i = 0; i < 12; ++i) {
    scratch.write("deep" + std::to_string(i) + ".yaml", "include: deep" + std::to_string(i + 1) + ".yaml\n");
  }
  EXPECT_THAT(load_complaints(scratch / "deep0.yaml"), HasSubstr("includes are nested deeper than 8"));
  scratch.write("leaf.yaml", "a: 1\n");
  const auto twice = scratch.write("twice.yaml", "include: [ leaf.yaml, leaf.yaml ]\n");
  EXPECT_THAT(load_complaints(twice), HasSubstr("is included twice, first at " + twice.string() + ":1:12"));
}

TEST(Document, only_regular_files_are_read) {
  const Scratch scratch;
  const auto fifo = scratch / "fifo.yaml";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_THAT(load_complaints(fifo), HasSubstr("is not a regular file"));
  EXPECT_THAT(load_complaints(scratch.path()), HasSubstr("is a directory, expected a file"));
  EXPECT_THAT(load_complaints("/dev/zero"), HasSubstr("is not a regular file"));
  EXPECT_THAT(load_complaints(scratch / "absent.yaml"), HasSubstr("absent.yaml: error: there is no such file"));
  const auto main = scratch.write("main.yaml", "include: [ fifo.yaml, absent.yaml, none/*.yaml ]\n");
  const std::string said = load_complaints(main);
  EXPECT_THAT(said, HasSubstr("main.yaml:1:12: error: " + fifo.string() + ": is not a regular file"));
  EXPECT_THAT(said, HasSubstr("main.yaml:1:23: error: "));
  EXPECT_THAT(said, testing::Not(HasSubstr("none/")));
  const auto large = scratch.write("large.yaml", std::string(9u << 20, ' '));
  EXPECT_THAT(load_complaints(large), HasSubstr("is larger than 8192 KiB"));
}

TEST(Document, all_files_together_are_bounded) {
  const Scratch scratch;
  for (int i = 0; i < 5; ++i) scratch.write("d/" + std::to_string(i) + ".yaml", "#" + std::string(1000, 'x') + "\n");
  const auto main = scratch.write("main.yaml", "include: d/*.yaml\n");
  Bounds bounds;
  bounds.all_bytes = 3000;
  EXPECT_THAT(load_complaints(main, nullptr, bounds), HasSubstr("all files together are larger"));
  bounds = {};
  bounds.files = 3;
  EXPECT_THAT(load_complaints(main, nullptr, bounds), HasSubstr("there are more than 3 files"));
}

TEST(Document, many_problems_are_bounded) {
  std::string text = "{";
  for (int i = 0; i < 500; ++i) text += " a: 1,\n";
  Problems problems;
  parse_text(text + "}", "t.yaml", problems);
  EXPECT_EQ(problems.all().size(), 201u);
  EXPECT_THAT(problems.all().back().what, HasSubstr("the first 200 are shown"));
}

std::string expanded(std::string_view text, Node* into = nullptr) {
  Problems problems;
  Node root = parse_text(text, "t.yaml", problems);
  expand_for_each(root, problems);
  if (into != nullptr) *into = std::move(root);
  return render_problems(problems);
}

TEST(ForEach, makes_one_check_for_each_row) {
  Node checks;
  EXPECT_EQ(expanded("before: { probe: tcp }\n"
                     "\"svc-{name}\":\n"
                     "  for_each: [ { name: auth, port: 3001 }, { name: user, port: 3002 } ]\n"
                     "  url: \"http://127.0.0.1:{port}/{{x}}\"\n"
                     "  port: \"{port}\"\n"
                     "  headers: { \"X-{name}\": [ \"{name}\" ] }\n",
                     &checks),
            "");
  ASSERT_EQ(checks.members.size(), 3u);
  EXPECT_EQ(checks.members[1].key, "svc-auth");
  EXPECT_EQ(checks.members[2].key, "svc-user");
  const Node& user = checks.members[2].value;
  EXPECT_EQ(user.find("url")->scalar, "http://127.0.0.1:3002/{x}");
  EXPECT_FALSE(user.find("port")->quoted) << "a number in the row is a number in the check";
  EXPECT_EQ(user.find("headers")->members[0].key, "X-user");
  EXPECT_EQ(user.find("headers")->members[0].value.items[0].scalar, "user");
  EXPECT_EQ(user.find("for_each"), nullptr);
}

TEST(ForEach, braces_mean_nothing_elsewhere) {
  Node checks;
  EXPECT_EQ(expanded("a: { body: '{\"x\": 1}' }", &checks), "");
  EXPECT_EQ(checks.members[0].value.find("body")->scalar, "{\"x\": 1}");
}

TEST(ForEach, mistakes) {
  const std::pair<const char*, const char*> table[] = {
      {"'s-{nam}': { for_each: [ { name: a } ], url: x }",
       "'{nam}' is no column of this for_each row; did you mean '{name}'?"},
      {"'s-{name}': { for_each: [ { name: a }, { name: a } ], url: x }", "the name 's-a' comes out twice"},
      {"'s': { for_each: [ { name: a }, { name: b } ], url: x }", "the name 's' comes out twice"},
      {"'s-{name}': { for_each: a }", "'for_each': expected a list of rows"},
      {"'s-{name}': { for_each: [] }", "found an empty list"},
      {"'s-{name}': { for_each: [ a ] }", "a row of 'for_each' is a mapping"},
      {"'s-{name}': { for_each: [ { name: [ a ] } ] }", "a column of 'for_each' holds text or a number, found a list"},
      {"'s-{name}': { for_each: [ { name: a } ], body: '{\"x\": 1}' }", "write '{{' for a brace"},
      {"'s-{name}': { for_each: [ { name: a } ], body: 'x{' }", "write '{{' for a brace"},
  };
  for (const auto& [text, said] : table) EXPECT_THAT(expanded(text), HasSubstr(said)) << text;
}

}  // namespace
}  // namespace vitald::config
