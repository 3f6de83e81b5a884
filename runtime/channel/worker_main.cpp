// SPDX-License-Identifier: Apache-2.0
#include "channel/worker_main.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "channel/frame_stream.hpp"

namespace troupe {

namespace {

constexpr int usage_exit = 2;

/// From now on the end of the node is the end of this process, also while it does not listen.
bool die_with(pid_t node) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  return ::getppid() == node;  // or it has ended already
}

bool is_channel(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

int complain(std::string_view name, std::string_view what) {
  std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(name.size()), name.data(),
               static_cast<int>(what.size()), what.data());
  return usage_exit;
}

/// Returns only if there is no such program; says so on the channel, where the node looks for a
/// reason.
int become(char** argv) {
  ::execvp(argv[0], argv);
  const int code = errno;
  error why(code == ENOENT ? errc::not_found : errc::io,
            "program " + std::string(argv[0]) + " can't be run: " + std::strerror(code));
  frame f{"exit"};
  f.fields.set("why", to_value(why));
  frame_writer out;
  if (auto encoded = encode(f, {})) out.put(*encoded);
  out.write_to(worker_channel_fd, true);
  return 127;
}

}  // namespace

int worker_main(int argc, char** argv, const agent_maker& make, watchdog* slices) {
  const std::string_view name = argc > 0 ? argv[0] : "worker";
  const std::string_view node = argc > 2 ? argv[2] : "";
  pid_t pid = 0;
  const auto parsed = std::from_chars(node.data(), node.data() + node.size(), pid);
  if (argc < 3 || std::string_view(argv[1]) != "--node" || parsed.ec != std::errc() || pid <= 0)
    return complain(name, "started by a node, not by hand");
  if (!die_with(pid)) return complain(name, "the node that started it is gone");
  if (!is_channel(worker_channel_fd)) return complain(name, "descriptor 3 is no channel");
  if (argc > 4 && std::string_view(argv[3]) == "--run") return become(argv + 4);
  if (argc > 3) return complain(name, "unknown argument " + std::string(argv[3]));

  // The node stops its workers in order; a signal to everybody must not overtake it.
  ::signal(SIGTERM, SIG_IGN);
  // What an agent starts must not get at the channel.
  ::fcntl(worker_channel_fd, F_SETFD, FD_CLOEXEC);
  const system_clock time;
  auto served = serve(unique_fd(worker_channel_fd), make, time, slices);
  if (served) return 0;
  return complain(name, served.error().describe());
}

}  // namespace troupe
