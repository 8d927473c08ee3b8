// Starts one real container from an encoded plan, for test/native/start-path.test.ts and bench/: what the monitor does,
// without the monitor. launch-test [--hold] [--control=PATH] [--times=N] PLAN
//   stdout, stderr: the container's. Exit code: the container's; 125 with `failure {section} {index} {syscall} {errno} {path}`
//   on stderr when it could not be made.
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "../core/container.h"
#include "../core/modes.h"
#include "../exec/exec.h"
#include "../core/protocol.h"
#include "../core/sys.h"

namespace caisson {

namespace {

struct Options {
  const char* plan = nullptr;
  const char* control = nullptr;  // serves hello and pidfd there
  bool hold = false;              // stops at the barrier until stdin ends
  bool host_network = false;
  int times = 0;                  // starts it so often and prints microseconds
};

int fail(const Failure& failure) {
  fprintf(stderr, "failure %s %u %s %d %s\n", failure.section, failure.index, failure.syscall.c_str(), failure.error,
          failure.path.c_str());
  return 125;
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i++) {
    std::string arg = argv[i];
    if (arg == "--hold") options.hold = true;
    else if (arg == "--host-network") options.host_network = true;
    else if (arg.starts_with("--control=")) options.control = argv[i] + strlen("--control=");
    else if (arg.starts_with("--times=")) options.times = atoi(argv[i] + strlen("--times="));
    else options.plan = argv[i];
  }
  return options;
}

// Copies what is there; false at the end of the stream.
bool relay(int from, int to) {
  char buffer[65536];
  Result<size_t> got = sys::read(from, buffer, sizeof buffer);
  return got && got.value() > 0 && sys::write_all(to, buffer, got.value());
}

Result<void> serve_control(int listener, const Container& container) {
  Fd client = TRY(sys::check_fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC), "accept4"));
  PayloadWriter payload;
  payload.u32(PROTOCOL_VERSION).u32(0).u32(static_cast<uint32_t>(RunState::running)).u32(static_cast<uint32_t>(container.host_pid));
  Bytes hello;
  append_frame(hello, FrameType::hello, payload.bytes());
  TRY(sys::write_all(client.get(), hello.data(), hello.size()));
  uint8_t request[FRAME_HEADER_BYTES];
  TRY(sys::read(client.get(), request, sizeof request));
  Bytes reply;
  append_frame(reply, FrameType::pidfd_reply);
  return sys::send_message(client.get(), reply, container.pidfd.get());
}

Result<Fd> listen_on(const char* path) {
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  Fd socket = TRY(sys::check_fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  TRY(sys::check(::bind(socket.get(), reinterpret_cast<struct sockaddr*>(&address), sizeof address), "bind", path));
  TRY(sys::check(::listen(socket.get(), 8), "listen"));
  return socket;
}

// Until all output has ended; serves control clients meanwhile. SIGTERM kills the container.
void relay_all(Container& container, int listener, int signals) {
  struct pollfd fds[] = {{container.stdout_read.get(), POLLIN, 0},
                         {container.stderr_read.get(), POLLIN, 0},
                         {container.terminal.get(), POLLIN, 0},
                         {listener, POLLIN, 0},
                         {signals, POLLIN, 0}};
  while (fds[0].fd >= 0 || fds[1].fd >= 0 || fds[2].fd >= 0) {
    if (::poll(fds, 5, -1) < 0) return;
    for (int i = 0; i < 3; i++) {
      if (fds[i].revents != 0 && !relay(fds[i].fd, i == 1 ? 2 : 1)) fds[i].fd = -1;
    }
    if (fds[3].revents != 0) (void)serve_control(listener, container);
    if (fds[4].revents != 0) (void)sys::pidfd_send_signal(container.pidfd.get(), SIGKILL);
  }
}

Result<int> launch(const LaunchPlan& plan, const Options& options) {
  Fd listener = options.control ? TRY(listen_on(options.control)) : Fd();
  TRY(sys::prctl("PR_SET_PDEATHSIG", PR_SET_PDEATHSIG, SIGTERM));  // a test that breaks off leaves nothing
  sigset_t terminating;
  sigemptyset(&terminating);
  sigaddset(&terminating, SIGTERM);
  TRY(sys::check(::sigprocmask(SIG_BLOCK, &terminating, nullptr), "sigprocmask"));
  Fd signals = TRY(sys::signalfd(terminating, 0));
  Container container = TRY(create_container(plan));
  if (options.hold) {
    printf("created %d\n", container.host_pid);
    fflush(stdout);
    char byte;
    while (TRY(sys::read(0, &byte, 1)) > 0) {
    }
  }
  TRY(release_container(container));
  container.stdin_write.reset();
  relay_all(container, listener.get(), signals.get());
  return TRY(sys::wait_pidfd(container.pidfd.get())).code;
}

double now_us() {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

// Microseconds from the call to execve done, sorted; the container is waited for between them.
Result<int> measure(const LaunchPlan& plan, int times) {
  std::vector<double> samples;
  for (int i = 0; i < times; i++) {
    if (!plan.work.empty()) (void)::rmdir((plan.work + "/work").c_str());
    double begin = now_us();
    Container container = TRY(create_container(plan));
    double created = now_us();
    TRY(release_container(container));
    samples.push_back(now_us() - begin);
    TRY(sys::wait_pidfd(container.pidfd.get()));
    if (getenv("LAUNCH_EACH")) fprintf(stderr, "created %.0f running %.0f\n", created - begin, samples.back());
  }
  std::sort(samples.begin(), samples.end());
  printf("min %.0f median %.0f p95 %.0f\n", samples.front(), samples[samples.size() / 2], samples[samples.size() * 95 / 100]);
  return 0;
}

Result<int> run(const Options& options) {
  Fd file = TRY(sys::open(options.plan, O_RDONLY));
  std::vector<uint8_t> bytes = TRY(sys::read_all(file.get(), 16 << 20));
  LaunchPlan plan = TRY(decode_launch_plan(bytes));
  if (!options.host_network) TRY(sys::unshare(CLONE_NEWNET));
  return options.times > 0 ? measure(plan, options.times) : launch(plan, options);
}

}  // namespace

}  // namespace caisson

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "init") == 0) return caisson::init_main(argv + 2);
  if (argc > 1 && strcmp(argv[1], "exec") == 0) return caisson::exec_main();
  caisson::Options options = caisson::parse(argc, argv);
  if (options.plan == nullptr) return 2;
  caisson::Result<int> code = caisson::run(options);
  return code ? code.value() : caisson::fail(code.failure());
}
