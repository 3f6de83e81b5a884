// SPDX-License-Identifier: Apache-2.0
#include "http/url.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "http/client.hpp"
#include "http/ip.hpp"

namespace troupe {
namespace {

std::string endpoint_of(std::string_view text) {
  auto u = parse_url(text);
  return u ? u->endpoint() : u.error().code;
}

TEST(url_test, gives_every_spelling_of_a_host_one_form) {
  EXPECT_EQ(endpoint_of("http://Example.ORG/x"), "example.org:80");
  EXPECT_EQ(endpoint_of("https://example.org"), "example.org:443");
  EXPECT_EQ(endpoint_of("https://example.org:8443/?q#f"), "example.org:8443");
  EXPECT_EQ(endpoint_of("http://2130706433/"), "127.0.0.1:80");
  EXPECT_EQ(endpoint_of("http://0177.0.0.1/"), "127.0.0.1:80");
  EXPECT_EQ(endpoint_of("http://0x7f.1/"), "127.0.0.1:80");
  EXPECT_EQ(endpoint_of("http://127.1/"), "127.0.0.1:80");
  EXPECT_EQ(endpoint_of("http://ex%61mple.org/"), "example.org:80");
  EXPECT_EQ(endpoint_of("http://[::1]:8080/"), "[::1]:8080");
}

TEST(url_test, is_not_fooled_about_the_host) {
  EXPECT_EQ(endpoint_of("http://evil.example#.ok.example/"), "evil.example:80");
  EXPECT_EQ(endpoint_of("http://evil.example/@ok.example/"), "evil.example:80");
  EXPECT_EQ(endpoint_of("http://ok.example@evil.example/"), "denied");
  EXPECT_EQ(endpoint_of("http://user:pw@ok.example/"), "denied");
  EXPECT_EQ(endpoint_of("http://ok.example\\@evil.example/"), "denied");
  EXPECT_EQ(endpoint_of(std::string_view("http://ok.example\0.evil.example/", 33)), "bad_argument");
  EXPECT_EQ(endpoint_of("http://ok.example%00.evil.example/"), "bad_argument");
  EXPECT_EQ(endpoint_of("http://ok.example/\r\nHost: evil"), "bad_argument");
}

TEST(url_test, refuses_other_schemes_and_what_is_no_url) {
  EXPECT_EQ(endpoint_of("ftp://example.org/"), "denied");
  EXPECT_EQ(endpoint_of("file:///etc/passwd"), "denied");
  EXPECT_EQ(endpoint_of("gopher://example.org/"), "denied");
  EXPECT_EQ(endpoint_of("example.org/x"), "bad_argument");
  EXPECT_EQ(endpoint_of(""), "bad_argument");
  EXPECT_EQ(endpoint_of("http://"), "bad_argument");
  EXPECT_EQ(endpoint_of("http://example.org:99999/"), "bad_argument");
  EXPECT_EQ(endpoint_of("http://example.org:0/"), "bad_argument");
  EXPECT_EQ(endpoint_of("http://a b/"), "bad_argument");
  EXPECT_EQ(endpoint_of("http://example.org/" + std::string(max_url_bytes, 'x')), "bad_argument");
}

TEST(url_test, escapes_what_is_not_ascii_but_not_in_a_host) {
  auto u = parse_url(
      "http://example.org/Gr\xc3\xb6\xc3\x9f"
      "e?%C3=\xc3\xa9");
  ASSERT_TRUE(u);
  EXPECT_THAT(u->text, testing::StrCaseEq("http://example.org/Gr%C3%B6%C3%9Fe?%C3=%C3%A9"));
  EXPECT_EQ(endpoint_of("http://b\xc3\xbc"
                        "cher.example/"),
            "bad_argument");
  EXPECT_EQ(endpoint_of("http://b%c3%bc"
                        "cher.example/"),
            "bad_argument");
  EXPECT_EQ(endpoint_of("http://xn--bcher-kva.example/"), "xn--bcher-kva.example:80");
}

TEST(url_test, never_repeats_a_query_in_an_error) {
  auto u = parse_url("http://exa mple.org/?key=secret");
  ASSERT_FALSE(u);
  EXPECT_EQ(u.error().describe().find("secret"), std::string::npos);
}

TEST(url_test, resolves_where_a_redirect_leads) {
  auto base = parse_url("https://example.org/a/b?c");
  ASSERT_TRUE(base);
  auto text_of = [&](std::string_view location) {
    auto u = resolve_url(*base, location);
    return u ? u->text : u.error().code;
  };
  EXPECT_EQ(text_of("/x"), "https://example.org/x");
  EXPECT_EQ(text_of("x#f"), "https://example.org/a/x");
  EXPECT_EQ(text_of("//other.example/"), "https://other.example/");
  EXPECT_EQ(text_of("http://127.1:81/"), "http://127.0.0.1:81/");
  EXPECT_EQ(text_of("file:///etc/passwd"), "denied");
  EXPECT_EQ(text_of("http://me@other.example/"), "denied");
}

TEST(ip_test, tells_the_public_network_from_all_others) {
  for (const char* ip : {"8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111",
                         "64:ff9b::808:808", "::ffff:8.8.8.8"})
    EXPECT_TRUE(is_public_address(ip)) << ip;
  for (const char* ip : {"127.0.0.1",
                         "127.255.255.254",
                         "0.0.0.0",
                         "10.1.2.3",
                         "172.16.0.1",
                         "172.31.9.9",
                         "192.168.1.1",
                         "169.254.169.254",
                         "100.64.0.1",
                         "192.0.2.1",
                         "198.18.0.1",
                         "224.0.0.1",
                         "240.0.0.1",
                         "255.255.255.255",
                         "::",
                         "::1",
                         "::127.0.0.1",
                         "fc00::1",
                         "fd12::1",
                         "fe80::1",
                         "ff02::1",
                         "2001:db8::1",
                         "2001::1",
                         "::ffff:127.0.0.1",
                         "::ffff:10.0.0.1",
                         "64:ff9b::7f00:1",
                         "2002:7f00:1::",
                         "fe80::1%lo",
                         "localhost",
                         ""})
    EXPECT_FALSE(is_public_address(ip)) << ip;
}

bool has_loaded(const std::string& library) {
  std::ifstream maps("/proc/self/maps");
  return std::string(std::istreambuf_iterator<char>(maps), {}).find(library) != std::string::npos;
}

TEST(curl_library, is_loaded_when_it_is_first_used) {
  if (has_loaded("libcurl")) GTEST_SKIP() << "a test before this one used it";
  const auto client = http_client::open();
  ASSERT_TRUE(client);
  EXPECT_FALSE(has_loaded("libcurl")) << "a node that asks nobody does not pay for it";
  ASSERT_TRUE(parse_url("http://a/"));
  EXPECT_TRUE(has_loaded("libcurl"));
}

}  // namespace
}  // namespace troupe
