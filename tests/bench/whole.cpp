// SPDX-License-Identifier: Apache-2.0
//
// Runs a command to its end and prints its seconds and its peak of memory in MiB. What starts a
// process counts into that one's peak until it has become another program, so this is small and has
// no library: below Python nothing would ever take less than Python.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  timespec began{}, ended{};
  clock_gettime(CLOCK_MONOTONIC, &began);
  const pid_t child = fork();
  if (child == 0) {
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    execvp(argv[1], argv + 1);
    _exit(127);
  }
  int status = 0;
  rusage used{};
  if (child < 0 || wait4(child, &status, 0, &used) != child) return 1;
  clock_gettime(CLOCK_MONOTONIC, &ended);
  std::printf("%.6f %.3f\n",
              static_cast<double>(ended.tv_sec - began.tv_sec) +
                  static_cast<double>(ended.tv_nsec - began.tv_nsec) / 1e9,
              static_cast<double>(used.ru_maxrss) / 1024);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
