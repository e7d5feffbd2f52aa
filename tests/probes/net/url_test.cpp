#include <gtest/gtest.h>

#include <random>

#include "probes/net/http.hpp"
#include "probes/net/redirect.hpp"

namespace vitald::net {
namespace {

struct Good {
  const char* text;
  const char* host;
  int port;
  const char* path;
  const char* authority;
};

class GoodUrl : public ::testing::TestWithParam<Good> {};

TEST_P(GoodUrl, IsTakenApart) {
  const auto url = parse_url(GetParam().text);
  ASSERT_TRUE(url) << url.failure().sentence();
  EXPECT_EQ(url->host, GetParam().host);
  EXPECT_EQ(url->port, GetParam().port);
  EXPECT_EQ(url->path, GetParam().path);
  EXPECT_EQ(url->authority, GetParam().authority);
  EXPECT_EQ(url->https, std::string_view(GetParam().text).substr(0, 5) == "https" || GetParam().port == 443);
}

INSTANTIATE_TEST_SUITE_P(
    Urls, GoodUrl,
    ::testing::Values(Good{"http://example.com", "example.com", 80, "/", "example.com"},
                      Good{"https://example.com/", "example.com", 443, "/", "example.com"},
                      Good{"HTTP://EXAMPLE.com/Path", "example.com", 80, "/Path", "example.com"},
                      Good{"http://example.com:8080/a?b=c#d", "example.com", 8080, "/a?b=c", "example.com:8080"},
                      Good{"http://example.com:/a", "example.com", 80, "/a", "example.com"},
                      Good{"http://example.com:80/a", "example.com", 80, "/a", "example.com"},
                      Good{"http://example.com?q", "example.com", 80, "/?q", "example.com"},
                      Good{"http://example.com#top", "example.com", 80, "/", "example.com"},
                      Good{"http://[::1]:8080/x", "::1", 8080, "/x", "[::1]:8080"},
                      Good{"http://[2001:DB8::1]", "2001:db8::1", 80, "/", "[2001:db8::1]"},
                      Good{"http://[fe80::1%25lo]/", "fe80::1%lo", 80, "/", "[fe80::1]"},
                      Good{"http://127.0.0.1:9/", "127.0.0.1", 9, "/", "127.0.0.1:9"},
                      Good{"http://b\xc3\xbc"
                           "cher.example/",
                           "b\xc3\xbc"
                           "cher.example",
                           80, "/",
                           "b\xc3\xbc"
                           "cher.example"},
                      Good{"http://example.com/\xc3\xa9?\xc3\xa9", "example.com", 80, "/%C3%A9?%C3%A9", "example.com"},
                      Good{"http://a_b.example/a@b:c", "a_b.example", 80, "/a@b:c", "a_b.example"}));

TEST(Url, WhatCannotBeUsedIsRefusedWithAReason) {
  for (const char* text : {"",
                           "example.com",
                           "ftp://example.com",
                           "http:example.com",
                           "http:/example.com",
                           "http://",
                           "http:///path",
                           "http://:80/",
                           "http://user@example.com/",
                           "http://user:secret@example.com/",
                           "http://example.com:0/",
                           "http://example.com:65536/",
                           "http://example.com:8a/",
                           "http://example.com:-1/",
                           "http://exa mple.com/",
                           "http://example.com/a b",
                           "http://example.com/\r\nHost: evil",
                           "http://example.com/\x01",
                           "http://example.com\\@evil.com/",
                           "http://[::1/",
                           "http://[::1]x/",
                           "http://[127.0.0.1]/",
                           "http://[]/",
                           "http://[zz::1]/",
                           "http://exa<mple/",
                           "http://%65xample.com/",
                           "javascript:alert(1)",
                           "file:///etc/passwd"}) {
    const auto url = parse_url(text);
    EXPECT_FALSE(url) << text;
    if (!url) {
      EXPECT_FALSE(url.failure().what.empty()) << text;
      EXPECT_EQ(url.failure().what.find("secret"), std::string::npos);
    }
  }
  EXPECT_FALSE(parse_url("http://example.com/" + std::string(9000, 'a')));
  EXPECT_FALSE(parse_url("http://" + std::string(300, 'a') + "/"));
}

// RFC 3986 section 5.4, with this base.
TEST(ResolveUrl, FollowsTheExamplesOfTheRfc) {
  const auto base = *parse_url("http://a/b/c/d;p?q");
  for (const auto& [location, expected] :
       std::initializer_list<std::pair<const char*, const char*>>{{"g", "http://a/b/c/g"},
                                                                  {"./g", "http://a/b/c/g"},
                                                                  {"g/", "http://a/b/c/g/"},
                                                                  {"/g", "http://a/g"},
                                                                  {"//g", "http://g/"},
                                                                  {"?y", "http://a/b/c/d;p?y"},
                                                                  {"g?y", "http://a/b/c/g?y"},
                                                                  {"#s", "http://a/b/c/d;p?q"},
                                                                  {"g#s", "http://a/b/c/g"},
                                                                  {";x", "http://a/b/c/;x"},
                                                                  {"g;x?y#s", "http://a/b/c/g;x?y"},
                                                                  {"", "http://a/b/c/d;p?q"},
                                                                  {".", "http://a/b/c/"},
                                                                  {"./", "http://a/b/c/"},
                                                                  {"..", "http://a/b/"},
                                                                  {"../g", "http://a/b/g"},
                                                                  {"../..", "http://a/"},
                                                                  {"../../g", "http://a/g"},
                                                                  {"../../../g", "http://a/g"},
                                                                  {"/./g", "http://a/g"},
                                                                  {"/../g", "http://a/g"},
                                                                  {"g.", "http://a/b/c/g."},
                                                                  {"..g", "http://a/b/c/..g"},
                                                                  {"./g/.", "http://a/b/c/g/"},
                                                                  {"g/../h", "http://a/b/c/h"},
                                                                  {"g?y/../x", "http://a/b/c/g?y/../x"},
                                                                  {"https://b:8443/x", "https://b:8443/x"},
                                                                  {"  /trimmed\t", "http://a/trimmed"}}) {
    const auto url = resolve_url(base, location);
    ASSERT_TRUE(url) << location << ": " << url.failure().sentence();
    EXPECT_EQ(text_of(*url), expected) << location;
  }
  EXPECT_FALSE(resolve_url(base, "gopher://x/"));
  EXPECT_FALSE(resolve_url(base, "javascript:x"));
  EXPECT_FALSE(resolve_url(base, "/a\r\nX: y"));
  EXPECT_FALSE(resolve_url(base, "http://user:pw@x/"));
}

TEST(Url, WhateverIsTakenIsFitForARequestLine) {
  std::mt19937 random(7);
  constexpr std::string_view alphabet = "http:/s[]@?#%.\\-a1\r\n \t\x80\xff&=_";
  const auto base = *parse_url("https://example.com/a/b?c");
  for (int round = 0; round < 100'000; ++round) {
    std::string text = round % 2 == 0 ? "http://" : "";
    const auto length = random() % 24;
    for (unsigned at = 0; at < length; ++at) text += alphabet[random() % alphabet.size()];
    for (const auto& url : {parse_url(text), resolve_url(base, text)}) {
      if (!url) continue;
      EXPECT_TRUE(url->path.starts_with("/")) << text;
      EXPECT_FALSE(url->host.empty()) << text;
      EXPECT_NE(url->port, 0) << text;
      for (const char c : url->path + url->authority) ASSERT_GT(static_cast<unsigned char>(c), 0x20) << text;
      EXPECT_TRUE(parse_url(text_of(*url))) << text << " -> " << text_of(*url);
    }
  }
}

}  // namespace
}  // namespace vitald::net
