// The network of one container from an encoded plan, for test/native/network.test.ts, netd.test.ts and bench/: what the
// monitor does about it, without the monitor. network-test PLAN [LISTENER_FD …]
//   stdout: `ready {pid of netd} {microseconds}`, or `failure {section} {index} {syscall} {errno} {path}` and exit code 125.
//   stdin: lines `destroy` (sockets left over; answers `destroyed`). A netd that dies is started again: `respawned {pid} {wait status of the last}`.
//   The namespace lives as long as this process: until stdin ends.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include <vector>

#include "../network/network.h"
#include "../core/sys.h"
#include "../netd/netd.h"
#include "../netd/resolver.h"

namespace caisson {

namespace {

double now_us() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

int fail(const Failure& failure) {
  printf("failure %s %u %s %d %s\n", failure.section, failure.index, failure.syscall.c_str(), failure.error,
         failure.path.c_str());
  return 125;
}

Result<void> obey() {
  char line[64] = {};
  if (TRY(sys::read(0, line, sizeof line - 1)) == 0) exit(0);
  if (strcmp(line, "destroy\n") != 0) return {};
  TRY(destroy_sockets());
  puts("destroyed");
  return {};
}

Result<void> serve(Resolver& resolver) {
  for (;;) {
    pollfd fds[] = {{0, POLLIN, 0}, {broker_fd(resolver), POLLIN, 0}};
    ::poll(fds, 2, -1);
    if (fds[1].revents != 0) serve_broker(resolver);
    if (broker_fd(resolver) < 0 && resolver_pid(resolver) != 0) {
      int status = 0;
      ::waitpid(resolver_pid(resolver), &status, 0);
      TRY(respawn_resolver(resolver));
      printf("respawned %d %d\n", resolver_pid(resolver), status);
    }
    if (fds[0].revents != 0) TRY(obey());
  }
}

Result<void> run(const char* path, const std::vector<int>& listeners) {
  Fd file = TRY(sys::open(path, O_RDONLY));
  std::vector<uint8_t> bytes = TRY(sys::read_all(file.get(), 16 << 20));
  Network network = TRY(decode_launch_plan(bytes)).network;
  double begin = now_us();
  Fd root = TRY(sys::open("/proc/self/ns/net", O_RDONLY));
  NetworkHandle handle = TRY(open_network(network, root.get()));
  TRY(enter_network(handle, network));
  TRY(build_network(handle, network));
  Resolver resolver = TRY(start_resolver(handle, network, listeners));
  printf("ready %d %.0f\n", resolver_pid(resolver), now_us() - begin);
  return serve(resolver);
}

}  // namespace

}  // namespace caisson

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "netd") == 0) return caisson::netd_main();
  if (argc < 2) return 2;
  setvbuf(stdout, nullptr, _IOLBF, 0);
  std::vector<int> listeners;
  for (int i = 2; i < argc; ++i) listeners.push_back(atoi(argv[i]));
  caisson::Result<void> result = caisson::run(argv[1], listeners);
  return result ? 0 : caisson::fail(result.failure());
}
