#include "config/secret.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/config/scratch.hpp"

namespace vitald {
namespace {

using test::Scratch;

std::filesystem::path write_secret(const Scratch& scratch, std::string_view name, std::string_view text, mode_t mode) {
  const auto path = scratch.write(name, text);
  EXPECT_EQ(::chmod(path.c_str(), mode), 0);
  return path;
}

std::string why(const Secret& secret) {
  const auto text = secret.reveal();
  return text ? "it was revealed" : text.failure().sentence();
}

TEST(Secret, a_default_one_is_empty) { EXPECT_EQ(*Secret().reveal(), ""); }

TEST(Secret, a_plain_one_hides_its_name) {
  const Secret secret(Secret::Source::plain, "hunter2");
  EXPECT_EQ(secret.name(), "");
  EXPECT_EQ(secret.describe(), "the secret in the configuration file");
  EXPECT_EQ(*secret.reveal(), "hunter2");
}

TEST(Secret, a_file_is_read_once_and_every_copy_sees_it) {
  const Scratch scratch;
  const auto path = write_secret(scratch, "password", "s3cret\n", 0600);
  Secret secret(Secret::Source::file, path.string());
  const Secret copy = secret;
  EXPECT_EQ(why(copy), "file " + path.string() + ": it has not been read");
  secret.load();
  ASSERT_TRUE(copy.reveal());
  EXPECT_EQ(*copy.reveal(), "s3cret");
}

TEST(Secret, a_file_with_loose_rights_is_refused_with_the_command_that_helps) {
  const Scratch scratch;
  const std::pair<mode_t, const char*> table[] = {{0644, "run: chmod o= "},
                                                  {0604, "run: chmod o= "},
                                                  {0666, "run: chmod o= "},
                                                  {0620, "run: chmod go-w "},
                                                  {0602, "run: chmod go-w "}};
  for (const auto& [mode, advice] : table) {
    const auto path = write_secret(scratch, "loose", "x", mode);
    Secret secret(Secret::Source::file, path.string());
    secret.load();
    EXPECT_NE(why(secret).find(advice + path.string()), std::string::npos) << why(secret);
  }
  for (const mode_t mode : {0400u, 0600u, 0640u, 0440u}) {
    Secret secret(Secret::Source::file, write_secret(scratch, "tight" + std::to_string(mode), "x", mode).string());
    secret.load();
    EXPECT_TRUE(secret.reveal()) << mode;
  }
}

TEST(Secret, only_regular_files_of_a_sensible_size) {
  const Scratch scratch;
  const auto fifo = scratch / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  Secret of_fifo(Secret::Source::file, fifo.string());
  of_fifo.load();
  EXPECT_NE(why(of_fifo).find("is not a regular file"), std::string::npos);
  Secret of_folder(Secret::Source::file, scratch.path().string());
  of_folder.load();
  EXPECT_NE(why(of_folder).find("is a directory"), std::string::npos);
  Secret large(Secret::Source::file, write_secret(scratch, "large", std::string((64u << 10) + 1, 'x'), 0600).string());
  large.load();
  EXPECT_NE(why(large).find("larger than 64 KiB"), std::string::npos);
  Secret absent(Secret::Source::file, (scratch / "absent").string());
  absent.load();
  EXPECT_NE(why(absent).find("there is no such file"), std::string::npos);
  Secret empty(Secret::Source::file, write_secret(scratch, "empty", "\n", 0600).string());
  empty.load();
  EXPECT_NE(why(empty).find("it is empty"), std::string::npos);
}

TEST(Secret, the_environment) {
  ::setenv("VITALD_TEST_SECRET", "from the environment", 1);
  Secret secret(Secret::Source::environment, "VITALD_TEST_SECRET");
  secret.load();
  EXPECT_EQ(*secret.reveal(), "from the environment");
  ::unsetenv("VITALD_TEST_SECRET");
  secret.load();
  EXPECT_EQ(why(secret),
            "environment variable VITALD_TEST_SECRET: the environment variable VITALD_TEST_SECRET is not set");
}

TEST(Secret, a_credential_comes_from_the_folder_that_systemd_names) {
  const Scratch scratch;
  write_secret(scratch, "mysql", "pw", 0400);
  ::setenv("CREDENTIALS_DIRECTORY", scratch.path().c_str(), 1);
  Secret there(Secret::Source::credential, "mysql");
  there.load();
  EXPECT_EQ(*there.reveal(), "pw");
  Secret absent(Secret::Source::credential, "redis");
  absent.load();
  EXPECT_NE(why(absent).find("add LoadCredential=redis:"), std::string::npos) << why(absent);
  ::unsetenv("CREDENTIALS_DIRECTORY");
  there.load();
  EXPECT_NE(why(there).find("$CREDENTIALS_DIRECTORY is not set"), std::string::npos);
}

}  // namespace
}  // namespace vitald
