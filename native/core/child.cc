#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "sys.h"

namespace caisson {

namespace {

Result<void> take_oom_score(Child& child) { return set_oom_score(child.plan.process); }
Result<void> make_terminal(Child& child) { return open_terminal(child.start); }
Result<void> enter_working_directory(Child& child) {
  // Made before the root becomes read-only, entered after the pivot.
  TRY(child.start.root.directory(child.plan.process.cwd));
  return {};
}

struct Section {
  const char* name;
  Result<void> (*apply)(Child&);
};

// The order is a security property.
constexpr Section kSections[] = {
    {"cgroup", join_planned_cgroups},       // before the cgroup namespace, which takes its root from here
    {"limits", take_oom_score},             // while /proc is the host's
    {"mounts", open_bind_sources},          // while host paths resolve, and are still peers of the host's mounts
    {"namespaces", leave_host_mounts},      // from here on no mount of ours can reach the host
    {"rootfs", mount_root},                 //
    {"mounts", apply_mounts},               // targets resolved inside the new root
    {"devices", make_devices},              //
    {"devices", make_symlinks},             //
    {"terminal", make_terminal},            // needs the devpts above
    {"terminal", make_console},             //
    {"exec", enter_working_directory},      //
    {"masks", protect_paths},               // after every mount that could cover them
    {"sysctl", write_sysctls},              // through a procfs of our own, not the container's path
    {"pivot", enter_root},                  // the host's files are gone
    {"hostname", set_names},                //
};

struct ProcessSection {
  const char* name;
  Result<void> (*apply)(Start&);
};

constexpr ProcessSection kProcessSections[] = {
    {"terminal", take_stdio},          // new session first: no way back to the caller's terminal (CVE-2017-5226)
    {"limits", reset_inherited},       // signals, affinity, umask
    {"credentials", join_keyring},     //
    {"exec", enter_directory},         // with all capabilities: the directory may be closed to the user
    {"credentials", take_identity},    // groups, gid, uid, capabilities
    {"exec", find_program},            // as that user: a missing program is an error of creation
};

// The caller's descriptors (state directory, listeners …) would be reachable as /proc/self/fd/N until execve (CVE-2024-21626).
Result<void> close_all_but(std::vector<int> kept) {
  std::sort(kept.begin(), kept.end());
  unsigned next = 0;
  for (int fd : kept) {
    if (fd < 0) continue;
    unsigned number = static_cast<unsigned>(fd);
    if (number > next) TRY(sys::close_range(next, number - 1, 0));
    next = number + 1;
  }
  return sys::close_range(next, ~0u, 0);
}

// Descriptors 0 to 2 must not be handed out below: stdio is moved there at the end.
Result<void> occupy_standard_fds() {
  for (;;) {
    Fd fd = TRY(sys::open("/", O_PATH));
    if (fd.get() > 2) return {};
    (void)fd.release();
  }
}

Result<void> build(Child& child) {
  std::vector<int> kept;
  for (const Fd& join : child.cgroup_joins) kept.push_back(join.get());
  for (const Fd& source : child.sources) kept.push_back(source.get());
  TRY(in_section("namespaces", keep_descriptors(child.start, std::move(kept))));
  ::umask(0);
  for (const Section& section : kSections) TRY(in_section(section.name, section.apply(child)));
  return {};
}

}  // namespace

Result<void> keep_descriptors(const Start& start, std::vector<int> more) {
  for (int fd : {start.channel.fd(), start.stdio.in.get(), start.stdio.out.get(), start.stdio.err.get(), start.init.get()}) {
    more.push_back(fd);
  }
  TRY(close_all_but(std::move(more)));
  return occupy_standard_fds();
}

Result<void> prepare_process(Start& start) {
  for (const ProcessSection& section : kProcessSections) TRY(in_section(section.name, section.apply(start)));
  return {};
}

Failure pass_barrier(Start& start) {
  auto stand = [&]() -> Result<void> {
    TRY(start.channel.send(StartStep::created));
    std::optional<StartMessage> message = TRY(start.channel.receive());
    if (!message || message->step != StartStep::go) return Failure{.syscall = "recvmsg", .error = ECANCELED};
    return {};
  };
  Result<void> passed = in_section("exec", stand());
  if (passed) passed = take_limits(start);
  if (passed) passed = in_section("seccomp", seal(start));
  if (!passed) return std::move(passed).failure();
  return execute(start);
}

void end_with_failure(Start& start, const Failure& failure) {
  start.channel.send_failure(failure);
  ::_exit(failure.error == ENOENT ? 127 : 126);
}

void run_child(Child& child) {
  Result<void> built = build(child);
  if (built) built = prepare_process(child.start);
  // Without a pid namespace that ends with its monitor. A change of uid or a setuid program clears it.
  if (built && !(child.plan.clone_flags & CLONE_NEWPID)) built = sys::prctl("PR_SET_PDEATHSIG", PR_SET_PDEATHSIG, SIGKILL);
  end_with_failure(child.start, built ? pass_barrier(child.start) : built.failure());
}

}  // namespace caisson
