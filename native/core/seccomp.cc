#include <errno.h>
#include <linux/filter.h>
#include <linux/close_range.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "capability_set.h"
#include "child.h"
#include "sys.h"

namespace caisson {

namespace {

Result<void> install_filter(const std::vector<uint8_t>& bytes) {
  if (bytes.size() % sizeof(struct sock_filter) != 0) return Failure{.syscall = "seccomp", .error = EINVAL};
  std::vector<struct sock_filter> program(bytes.size() / sizeof(struct sock_filter));
  memcpy(program.data(), bytes.data(), bytes.size());
  struct sock_fprog filter = {.len = static_cast<unsigned short>(program.size()), .filter = program.data()};
  TRY(sys::check(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter), "seccomp"));
  return {};
}

}  // namespace

// The last thing before execve. The filter has to let through, beside what the program needs, only capset and execve
// (and sendmsg and exit_group, for a failing execve to be told).
Result<void> seal(Start& start) {
  const ProcessPlan& process = start.process;
  TRY(sys::close_range(3, ~0u, CLOSE_RANGE_CLOEXEC));
  if (process.seccomp.empty()) return {};
  TRY(install_filter(process.seccomp));
  if (capability_to_seal(process) != 0) TRY(set_capabilities(process.capabilities, 0));
  return {};
}

}  // namespace caisson
