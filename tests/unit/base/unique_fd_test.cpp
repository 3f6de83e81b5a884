// SPDX-License-Identifier: Apache-2.0
#include "base/unique_fd.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace troupe {
namespace {

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) != -1;
}

TEST(unique_fd_test, closes_what_it_owns_once) {
  const int raw = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  {
    unique_fd a(raw);
    unique_fd b(std::move(a));
    EXPECT_FALSE(a);
    EXPECT_EQ(b.get(), raw);
    EXPECT_TRUE(is_open(raw));
  }
  EXPECT_FALSE(is_open(raw));
}

TEST(unique_fd_test, closes_the_old_one_when_it_takes_another) {
  const int first = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int second = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  unique_fd fd(first);
  fd = unique_fd(second);
  EXPECT_FALSE(is_open(first));
  EXPECT_EQ(fd.get(), second);
}

TEST(unique_fd_test, survives_a_move_onto_itself) {
  unique_fd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int raw = fd.get();
  auto& same = fd;
  fd = std::move(same);
  EXPECT_EQ(fd.get(), raw);
  EXPECT_TRUE(is_open(raw));
}

TEST(unique_fd_test, gives_away_what_it_releases) {
  unique_fd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  unique_fd other(fd.release());
  EXPECT_FALSE(fd);
  EXPECT_TRUE(is_open(other.get()));
}

}  // namespace
}  // namespace troupe
