#include "probes/wire/ssh_certificate.hpp"

#include <gtest/gtest.h>

namespace vitald::wire {
namespace {

// ssh-keygen -s ca -I deploy -n deploy -V 20260101Z:20261231Z id.pub, with keys made for this and thrown away.
constexpr auto real =
    "ssh-ed25519-cert-v01@openssh.com "
    "AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAIDl5kXz2jzPow6Or6v+NeihmJOFZRPzkB5xgA3eza5zvAAAA"
    "IG+/ux0RNnV504fYbYzxM0LDfYV4T56PoN0js9zm5XffAAAAAAAAAAcAAAABAAAACmRlcGxveSBrZXkAAAAKAAAABmRlcGxveQAA"
    "AABpVbkAAAAAAGs1mwAAAAAAAAAAggAAABVwZXJtaXQtWDExLWZvcndhcmRpbmcAAAAAAAAAF3Blcm1pdC1hZ2VudC1mb3J3YXJk"
    "aW5nAAAAAAAAABZwZXJtaXQtcG9ydC1mb3J3YXJkaW5nAAAAAAAAAApwZXJtaXQtcHR5AAAAAAAAAA5wZXJtaXQtdXNlci1yYwAA"
    "AAAAAAAAAAAAMwAAAAtzc2gtZWQyNTUxOQAAACATLwhiBk/+6/MohBfhdHmsnhGYeYKqEtV/pBEppkZFpAAAAFMAAAALc3NoLWVk"
    "MjU1MTkAAABAJsVGAWomB2wROUbAXFOyTeSzqxJNPwJoXbbLCWUFmmywcNoOhj+LsFU1mUkVnSP8eBNUi6ydNp+U2JHCetcpCg==";

TEST(SshCertificate, SaysHowLongItIsValid) {
  ASSERT_TRUE(is_ssh_certificate(real));
  const auto read = parse_ssh_certificate(real);
  ASSERT_TRUE(read) << read.failure().what;
  EXPECT_EQ(read->type, "ssh-ed25519-cert-v01@openssh.com");
  EXPECT_EQ(read->key_id, "deploy key");
  EXPECT_EQ(read->serial, 7u);
  EXPECT_FALSE(read->host);
  EXPECT_EQ(read->valid_before, Wall(std::chrono::sys_days(std::chrono::year{2026} / 12 / 31).time_since_epoch()));
}

TEST(SshCertificate, WhatIsCutOffIsNone) {
  const std::string whole = real;
  const std::size_t begin = whole.find(' ') + 1;
  for (std::size_t length = 4; length < 216; length += 4)  // the 163rd byte is the last of `valid before`
    EXPECT_FALSE(parse_ssh_certificate(whole.substr(0, begin + length))) << length;
  EXPECT_TRUE(parse_ssh_certificate(whole.substr(0, begin + 220)));
}

TEST(SshCertificate, OtherThingsAreNone) {
  EXPECT_FALSE(is_ssh_certificate("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI someone"));
  EXPECT_FALSE(is_ssh_certificate("-----BEGIN CERTIFICATE-----"));
  EXPECT_FALSE(is_ssh_certificate(""));
  EXPECT_FALSE(parse_ssh_certificate("new-kind-cert-v01@openssh.com AAAA"));
  EXPECT_FALSE(parse_ssh_certificate("ssh-ed25519-cert-v01@openssh.com"));
  EXPECT_FALSE(parse_ssh_certificate("ssh-ed25519-cert-v01@openssh.com !!!!"));
}

}  // namespace
}  // namespace vitald::wire
