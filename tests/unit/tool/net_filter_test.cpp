// SPDX-License-Identifier: Apache-2.0
#include "actors/tool/net_filter.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

class net_filter_test : public testing::Test {
 protected:
  static dial_filter filter(value::array globs) {
    auto who = std::make_shared<authority>();
    value v;
    v.set("net", value(std::move(globs)));
    who->grants = *grants::from(v);
    who->path = "desk/writer";
    return net_filter(who);
  }
  static std::string judge(const dial_filter& f, std::string_view host, std::string_view ip,
                           std::uint16_t port) {
    auto verdict = f(host, ip, port);
    return verdict ? "ok" : verdict.error().code;
  }
};

TEST_F(net_filter_test, lets_pass_what_is_granted_by_name) {
  auto f = filter({"example.org:443", "*.example.net:*"});
  EXPECT_EQ(judge(f, "example.org", "", 443), "ok");
  EXPECT_EQ(judge(f, "example.org", "93.184.216.34", 443), "ok");
  EXPECT_EQ(judge(f, "a.example.net", "93.184.216.34", 8080), "ok");
  EXPECT_EQ(judge(f, "example.org", "", 22), "denied");
  EXPECT_EQ(judge(f, "example.org.evil.example", "", 443), "denied");
  EXPECT_EQ(judge(f, "93.184.216.34", "", 443), "denied");
}

TEST_F(net_filter_test, says_which_grant_is_missing) {
  auto verdict = filter({})("example.org", "", 443);
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().message,
            "desk/writer needs net example.org:443, which its needs or its grants leave out");
}

TEST_F(net_filter_test, lets_no_name_lead_to_a_private_address) {
  auto f = filter({"*", "example.org:80", "localhost.example:80"});
  for (const char* ip : {"127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1",
                         "::ffff:127.0.0.1", "0.0.0.0"}) {
    EXPECT_EQ(judge(f, "example.org", ip, 80), "denied") << ip;
    EXPECT_EQ(judge(f, "localhost.example", ip, 80), "denied") << ip;
    EXPECT_EQ(judge(f, "localhost", ip, 80), "denied") << ip;
  }
  EXPECT_EQ(judge(f, "127.0.0.1", "127.0.0.1", 80), "denied") << "a wildcard names nothing";
  EXPECT_EQ(
      f("example.org", "10.0.0.1", 80).error().message,
      "example.org:80 leads to 10.0.0.1, which is not a public address: desk/writer needs net "
      "10.0.0.1:80, named as it is");
}

TEST_F(net_filter_test, opens_a_private_address_that_is_named_as_it_is) {
  auto f = filter({"127.0.0.1:8080", "[::1]:*", "intranet.example:80", "10.0.0.7:80"});
  EXPECT_EQ(judge(f, "127.0.0.1", "127.0.0.1", 8080), "ok");
  EXPECT_EQ(judge(f, "127.0.0.1", "127.0.0.1", 8081), "denied");
  EXPECT_EQ(judge(f, "[::1]", "::1", 99), "ok");
  EXPECT_EQ(judge(f, "intranet.example", "10.0.0.7", 80), "ok");
  EXPECT_EQ(judge(f, "intranet.example", "10.0.0.8", 80), "denied");
}

TEST_F(net_filter_test, takes_localhost_for_loopback_alone) {
  auto f = filter({"localhost:8080"});
  EXPECT_EQ(judge(f, "localhost", "127.0.0.1", 8080), "ok");
  EXPECT_EQ(judge(f, "localhost", "::1", 8080), "ok");
  EXPECT_EQ(judge(f, "localhost", "10.0.0.1", 8080), "denied");
}

TEST_F(net_filter_test, lets_pass_everything_where_everything_is_granted) {
  auto who = std::make_shared<authority>();
  who->grants = grants::all();
  auto f = net_filter(who);
  EXPECT_EQ(judge(f, "example.org", "10.0.0.1", 80), "ok");
}

}  // namespace
}  // namespace troupe
