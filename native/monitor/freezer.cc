#include "freezer.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "../core/sys.h"

namespace caisson {

namespace {

// A process in an uninterruptible wait freezes when that ends.
constexpr int ATTEMPTS = 200;
constexpr unsigned NAP_US = 1000;

// Where to write, where the answer stands, and what it is.
struct Freezer {
  std::string control, answer;
  const char *freeze, *thaw, *frozen, *thawed;
};

// The first group that can: on a hybrid host either hierarchy would do.
Result<Freezer> find_freezer(const LaunchPlan& plan) {
  for (const Cgroup& cgroup : plan.cgroups) {
    if (!cgroup.join) continue;
    std::string state = cgroup.path + "/freezer.state", freeze = cgroup.path + "/cgroup.freeze";
    if (access(state.c_str(), W_OK) == 0) return Freezer{state, state, "FROZEN", "THAWED", "FROZEN", "THAWED"};
    if (access(freeze.c_str(), W_OK) == 0) {
      return Freezer{freeze, cgroup.path + "/cgroup.events", "1", "0", "frozen 1", "frozen 0"};
    }
  }
  return Failure{.section = "pause", .syscall = "open", .error = ENOTSUP, .path = "freezer cgroup"};
}

Result<void> set(const Freezer& freezer, bool frozen) {
  TRY(sys::write_file(AT_FDCWD, freezer.control, frozen ? freezer.freeze : freezer.thaw));
  for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
    std::string answer = TRY(sys::read_file(AT_FDCWD, freezer.answer, 4096));
    if (answer.find(frozen ? freezer.frozen : freezer.thawed) != std::string::npos) return {};
    usleep(NAP_US);
    // v1 gives up half-way where a process is being traced or forks: asking again goes on (kernel freezer-subsystem.rst).
    TRY(sys::write_file(AT_FDCWD, freezer.control, frozen ? freezer.freeze : freezer.thaw));
  }
  return Failure{.syscall = "write", .error = EBUSY, .path = freezer.control};
}

}  // namespace

Result<void> set_frozen(const LaunchPlan& plan, bool frozen) {
  Freezer freezer = TRY(find_freezer(plan));
  Result<void> done = in_section("pause", set(freezer, frozen));
  if (!done && frozen) (void)sys::write_file(AT_FDCWD, freezer.control, freezer.thaw);
  return done;
}

}  // namespace caisson
