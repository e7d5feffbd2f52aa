#include "probes/file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "probes/file_words.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::probes {
namespace {

using ::testing::HasSubstr;
using vitald::testing::parse_yaml;
using vitald::testing::Surroundings;

constexpr auto hello_sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";  // of "hello\n"

std::string problems(const std::string& yaml) { return parse_yaml(file::parse, yaml).problems; }

TEST(FileParse, TakesAll) {
  const auto parsed = parse_yaml(file::parse,
                                 "{ file: /etc/crontab, type: regular, owner: root, group: '0', mode: '0644', "
                                 "contains: a, must_not_contain: [ b, c ],"
                                 " comment: '#', sha256: " +
                                     std::string(hello_sha256) + " }");
  EXPECT_EQ(parsed.problems, "");
  EXPECT_EQ(parsed.config.mode, mode_t{0644});
  EXPECT_EQ(parsed.config.forbidden.size(), 2u);
  EXPECT_EQ(parsed.config.target(), "file:/etc/crontab");
}

TEST(FileParse, SaysWhatDoesNotFit) {
  EXPECT_THAT(problems("{}"), HasSubstr("file"));
  EXPECT_THAT(problems("file: etc/crontab"), HasSubstr("expected an absolute path"));
  EXPECT_THAT(problems("{ file: /a, exists: false, owner: root }"), HasSubstr("cannot have to be anything else"));
  EXPECT_THAT(problems("{ file: /a, mode: '0888' }"), HasSubstr("octal mode"));
  EXPECT_THAT(problems("{ file: /a, mode: rw }"), HasSubstr("octal mode"));
  EXPECT_THAT(problems("{ file: /a, mode: '0600', mode_at_most: '0640' }"), HasSubstr("says it all"));
  EXPECT_THAT(problems("{ file: /a, sha256: abc }"), HasSubstr("64 hexadecimal digits"));
  EXPECT_THAT(problems("{ file: /a, type: directory, contains: x }"), HasSubstr("content of a regular file"));
  EXPECT_THAT(problems("{ file: /a, contains: '[' }"), HasSubstr("no valid regular expression"));
  EXPECT_THAT(problems("{ file: /a, type: file }"), HasSubstr("any, regular, directory or symlink"));
}

class FileRun : public ::testing::Test {
 protected:
  Observation run(const std::string& yaml) {
    const auto parsed = parse_yaml(file::parse, yaml);
    EXPECT_EQ(parsed.problems, "");
    auto seen = file::judge(parsed.config, around.run(file::run, parsed.config));
    if (seen.memory) around.memory = *seen.memory;
    return seen;
  }
  void expect(const Observation& seen, const std::string& reason, const std::string& summary) {
    EXPECT_EQ(seen.reason, reason);
    EXPECT_THAT(seen.summary, HasSubstr(summary));
    EXPECT_EQ(seen.outcome, reason.empty() ? Outcome::answered : Outcome::wrong);
  }
  std::string real(const std::string& path) const { return around.folder.path() + path; }
  static std::optional<double> value(const Observation& seen, std::string_view name) {
    for (const Sample& sample : seen.samples) {
      if (sample.name == name) return sample.value;
    }
    return std::nullopt;
  }

  Surroundings around;
};

TEST_F(FileRun, IsThereOrNot) {
  expect(run("file: /etc/motd"), "missing", "/etc/motd does not exist");
  expect(run("{ file: /etc/motd, exists: false }"), "", "/etc/motd does not exist");
  around.folder.write("/etc/motd", "hello\n");
  const auto seen = run("file: /etc/motd");
  expect(seen, "", "/etc/motd is as it should be");
  EXPECT_EQ(value(seen, "size"), 6);
  EXPECT_TRUE(value(seen, "age"));
  expect(run("{ file: /etc/motd, exists: false }"), "must_not_exist",
         "/etc/motd exists, and must not: regular file, 6 B");
}

TEST_F(FileRun, OwnerAndMode) {
  around.folder.write("/key", "x");
  ::chmod(real("/key").c_str(), 0644);
  const std::string me = std::to_string(::getuid());
  expect(run("{ file: /key, owner: '" + me + "', mode: '0644' }"), "", "as it should be");
  const auto open = run("{ file: /key, mode_at_most: '0600' }");
  expect(open, "wrong_mode", "/key has mode 0644, at most 0600 is allowed");
  EXPECT_EQ(open.remedy, "run: chmod 0600 /key");
  expect(run("{ file: /key, mode: '0640' }"), "wrong_mode", "/key has mode 0644, expected 0640");
  const auto owner = run("{ file: /key, owner: nobody-at-all, group: nogroup-at-all }");
  expect(owner, "wrong_owner", ", expected nobody-at-all");
  EXPECT_THAT(owner.evidence.back().text, HasSubstr("belongs to group"));
}

TEST_F(FileRun, Types) {
  around.folder.make("/folder");
  std::filesystem::create_symlink("folder", real("/link"));
  expect(run("{ file: /folder, type: directory }"), "", "as it should be");
  expect(run("{ file: /folder, type: regular }"), "wrong_type", "/folder is a directory, expected a regular file");
  expect(run("{ file: /link, type: directory }"), "", "as it should be");
  const auto link = run("{ file: /link, type: symlink }");
  expect(link, "", "as it should be");
  EXPECT_THAT(link.evidence.back().text, HasSubstr("leads to folder"));
  expect(run("{ file: /folder, type: symlink }"), "wrong_type", "expected a symbolic link");
  expect(run("{ file: /folder, contains: x }"), "wrong_type", "expected a regular file");
}

TEST_F(FileRun, AFifoDoesNotHoldIt) {
  ASSERT_EQ(::mkfifo(real("/fifo").c_str(), 0600), 0);
  expect(run("{ file: /fifo, contains: x }"), "wrong_type", "/fifo is a FIFO, expected a regular file");
}

TEST_F(FileRun, Crontab) {
  const std::string check =
      R"({ file: /crontab, comment: "#", contains: 'artisan schedule:run', must_not_contain: '(^|\s|/)php(\s|$)' })";
  around.folder.write("/crontab", "# php is php82 here\n* * * * * cd /srv && php82 artisan schedule:run\n");
  expect(run(check), "", "as it should be");
  around.folder.write("/crontab", "# php\n#* * * * * php82 artisan schedule:run\n\n0 3 * * * php backup.php");
  const auto seen = run(check);
  expect(seen, "line_missing", "no line of /crontab matches artisan schedule:run");
  EXPECT_EQ(seen.evidence.back().text, "line 4 of /crontab must not be there: 0 3 * * * php backup.php");
}

TEST_F(FileRun, Checksum) {
  around.folder.write("/hello", "hello\n");
  expect(run("{ file: /hello, sha256: " + std::string(hello_sha256) + " }"), "", "as it should be");
  around.folder.write("/hello", "hullo\n");
  expect(run("{ file: /hello, sha256: " + std::string(hello_sha256) + " }"), "wrong_checksum", "expected 5891b5b522d5");
}

TEST_F(FileRun, ChangesAreHappenings) {
  const std::string check = "{ file: /config, contains: '.' }";
  around.folder.write("/config", "a\n");
  EXPECT_EQ(value(run(check), "changes"), 0);
  EXPECT_EQ(value(run(check), "changes"), 0);
  std::filesystem::last_write_time(real("/config"),
                                   std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_EQ(value(run(check), "changes"), 0);  // only touched
  around.folder.write("/config", "b\n");
  ::chmod(real("/config").c_str(), 0600);
  const auto seen = run(check);
  EXPECT_EQ(value(seen, "changes"), 1);
  EXPECT_THAT(seen.evidence.front().text, HasSubstr("/config has changed: "));
  EXPECT_THAT(seen.evidence.front().text, HasSubstr("content was"));
  EXPECT_EQ(value(run(check), "changes"), 0);
  std::filesystem::remove(real("/config"));
  const auto gone = run(check);
  EXPECT_EQ(value(gone, "changes"), 1);
  expect(gone, "missing", "does not exist");
}

TEST_F(FileRun, ATouchIsAChangeWhereTheContentIsNotRead) {
  around.folder.write("/config", "a\n");
  run("file: /config");
  std::filesystem::last_write_time(real("/config"),
                                   std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_EQ(value(run("file: /config"), "changes"), 1);
}

TEST(FileJudge, WhatCannotBeReadIsUnknownUnlessMoreIsKnown) {
  auto config = parse_yaml(file::parse, "{ file: /var/spool/cron/crontabs/root, contains: x, mode: '0600' }").config;
  file::Facts facts;
  facts.trouble = file::trouble_with(config.path, EACCES);
  const auto unknown = file::judge(config, facts);
  EXPECT_EQ(unknown.outcome, Outcome::unmeasured);
  EXPECT_EQ(unknown.reason, "denied:/var/spool/cron/crontabs/root");
  EXPECT_THAT(unknown.remedy, HasSubstr("CAP_DAC_READ_SEARCH"));
  facts.found = file::Found{.mode = S_IFREG | 0644, .owner = "root", .group = "root", .leads_to = {}};
  EXPECT_EQ(file::judge(config, facts).reason, "wrong_mode");
  EXPECT_THAT(file::trouble_with("/etc/x", EACCES).remedy, HasSubstr("setfacl -m u:vitald:r /etc/x"));
}

}  // namespace
}  // namespace vitald::probes
