#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "../core/protocol.h"
#include "../core/self.h"
#include "../core/sys.h"
#include "clock.h"

namespace caisson {

namespace {

constexpr size_t KEPT_BYTES = 4096;
constexpr size_t FRAMES_BYTES = 4096;
// Reads of one wake-up.
constexpr int ROUNDS = 16;

Result<Fd> filter_file(const std::vector<uint8_t>& filter) {
  Fd file = TRY(sys::check_fd(memfd_create("probe", MFD_CLOEXEC), "memfd_create"));
  TRY(sys::write_all(file.get(), filter.data(), filter.size()));
  TRY(sys::check(lseek(file.get(), 0, SEEK_SET), "lseek"));
  return file;
}

// Where a service may listen: on all addresses, or on one of these.
void append_addresses(std::vector<std::string>& arguments, const Network& network) {
  arguments.insert(arguments.end(), {"127.0.0.1", "::1"});
  for (const Endpoint& endpoint : network.endpoints) {
    char text[INET_ADDRSTRLEN] = "";
    if (endpoint.address.size() == 4) inet_ntop(AF_INET, endpoint.address.data(), text, sizeof text);
    if (*text != '\0') arguments.emplace_back(text);
  }
}

// What tells why a command could not be run: the last frame of `caisson-monitor exec`.
std::string failure_in(const Fd& frames) {
  FrameReader reader;
  std::vector<uint8_t> bytes(FRAMES_BYTES);
  Result<size_t> got = sys::read(frames.get(), bytes.data(), bytes.size());
  if (!got) return {};
  reader.feed({bytes.data(), got.value()});
  Frame frame;
  while (reader.next(frame) == FrameReader::Next::frame) {
    if (frame.type != static_cast<uint16_t>(FrameType::failure)) continue;
    PayloadReader fields(frame.payload);
    std::string text = fields.text();
    (void)fields.u32();
    text += ": " + fields.text();
    int error = static_cast<int>(fields.u32());
    std::string path = fields.text();
    if (!path.empty()) text += " " + path;
    return text + ": " + strerror(error);
  }
  return {};
}

}  // namespace

Result<void> Probe::start(const LaunchPlan& plan) {
  clear();
  result_.started = Stamp::now().text();
  started_ms_ = monotonic_ms();
  bool command = plan.health.probe == ProbeKind::command;
  Fd nothing = TRY(sys::open("/dev/null", O_RDWR));
  Fd input = command ? TRY(sys::openat(monitor_fd::state_directory, "probe", O_RDONLY)) : TRY(filter_file(plan.health.seccomp));
  if (!self_) self_ = TRY(open_self_read_only());
  sys::Pipe output = TRY(sys::pipe(O_CLOEXEC));
  sys::Pipe frames = TRY(sys::pipe(O_CLOEXEC));
  std::vector<std::string> arguments = {"caisson-probe", "exec"};
  if (!command) {
    const char* kind = plan.health.probe == ProbeKind::http ? "http" : "tcp";
    arguments = {"caisson-probe", "probe", kind, std::to_string(plan.health.port), plan.health.path};
    append_addresses(arguments, plan.network);
  }
  int out = output.write.get();
  sys::Clone child = TRY(spawn_self(self_, arguments, {nothing.get(), out, out, input.get(), frames.write.get()}));
  for (Fd* fd : {&output.read, &frames.read}) fcntl(fd->get(), F_SETFL, O_NONBLOCK);
  pid_ = child.pid;
  pidfd_ = std::move(child.pidfd);
  output_ = std::move(output.read);
  frames_ = std::move(frames.read);
  return {};
}

void Probe::keep(std::string_view text) {
  result_.output.append(text.substr(0, KEPT_BYTES - std::min(KEPT_BYTES, result_.output.size())));
}

bool Probe::read_output() {
  char buffer[16 * 1024];
  for (int round = 0; round < ROUNDS && output_; round++) {
    Result<size_t> got = sys::read(output_.get(), buffer, sizeof buffer);
    if (!got && got.failure().error == EAGAIN) return true;
    if (!got || got.value() == 0) return false;
    keep({buffer, got.value()});
  }
  return static_cast<bool>(output_);
}

void Probe::time_out(uint32_t timeout_ms) {
  timed_out_ = true;
  (void)sys::pidfd_send_signal(pidfd_.get(), SIGTERM);
  keep("caisson: the probe did not end within " + std::to_string(timeout_ms) + " ms\n");
}

void Probe::kill() { (void)sys::pidfd_send_signal(pidfd_.get(), SIGKILL); }

ProbeResult Probe::finish(int code, int status) {
  (void)read_output();
  result_.ended = Stamp::now().text();
  result_.exit_code = code == CLD_EXITED ? status : 128 + status;
  std::string failure = failure_in(frames_);
  keep(failure);
  if (timed_out_ || !failure.empty()) result_.exit_code = -1;
  ProbeResult result = std::move(result_);
  clear();
  return result;
}

void Probe::give_up() {
  if (running()) kill();
  clear();
}

void Probe::clear() {
  pid_ = 0;
  for (Fd* fd : {&pidfd_, &output_, &frames_}) fd->reset();
  timed_out_ = false;
  result_ = {};
}

}  // namespace caisson
