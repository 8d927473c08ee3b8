// The child of the start path: what its sections share, and the sections themselves, one file each. child.cc has their order.
#pragma once

#include <string>
#include <vector>

#include "fd.h"
#include "launch_plan.h"
#include "result.h"
#include "root.h"
#include "start_protocol.h"

namespace caisson {

// What becomes fds 0, 1, 2. Without a terminal `in` may be empty: /dev/null of the container.
struct Stdio {
  Fd in, out, err;
};

// A process on its way to execve, in a new container or (exec.cc) in a running one.
struct Start {
  const ProcessPlan& process;
  Channel channel;
  Stdio stdio;
  Root root;            // the container's
  Fd terminal;          // slave side of the pty, until it is stdio
  std::string program;  // what execve gets, found in PATH
  Fd init;              // our own binary, read-only, where it stands in front of the process
  bool supervised = false;  // with stand_in_front
};

// A new container.
struct Child {
  const LaunchPlan& plan;
  Start start;
  std::vector<Fd> cgroup_joins;
  std::vector<Fd> sources = {};  // detached trees of the binds, index as plan.mounts; empty for the others
  std::vector<std::vector<Fd>> images = {};  // layers of the image mounts, topmost first, an empty directory last; same index
};

// Closes everything but what the process needs, and `more`; descriptors 0 to 2 are taken, so that nothing lands there.
Result<void> keep_descriptors(const Start& start, std::vector<int> more);
// Runs in the child of clone3; never returns.
[[noreturn]] void run_child(Child& child);
// The sections that every process has, in their order.
Result<void> prepare_process(Start& start);
// The barrier, and what comes after it. Only a failure returns.
Failure pass_barrier(Start& start);
// Sends it and exits: 127 where a program was not found, 126 for the rest.
[[noreturn]] void end_with_failure(Start& start, const Failure& failure);

// -- sections of a new container
Result<void> join_planned_cgroups(Child& child);   // cgroup.cc
Result<void> open_bind_sources(Child& child);      // mounts.cc
Result<void> leave_host_mounts(Child& child);      // namespaces.cc
Result<void> mount_root(Child& child);             // rootfs.cc
Result<void> apply_mounts(Child& child);           // mounts.cc
Result<void> make_devices(Child& child);           // devices.cc
Result<void> make_symlinks(Child& child);          // devices.cc
Result<void> make_console(Child& child);           // terminal.cc
Result<void> protect_paths(Child& child);          // masks.cc
Result<void> write_sysctls(Child& child);          // sysctl.cc
Result<void> enter_root(Child& child);             // pivot.cc
Result<void> set_names(Child& child);              // hostname.cc

// -- sections of every process
Result<void> open_terminal(Start& start);          // terminal.cc
Result<void> take_stdio(Start& start);             // terminal.cc
Result<void> reset_inherited(Start& start);        // limits.cc
Result<void> join_keyring(Start& start);           // credentials.cc
Result<void> enter_directory(Start& start);        // exec_program.cc
Result<void> take_identity(Start& start);          // credentials.cc
Result<void> find_program(Start& start);           // exec_program.cc
Result<void> seal(Start& start);                   // seccomp.cc
Failure execute(Start& start);                     // exec_program.cc
// Returns in a child, which is to execute the program; this process reaps, and ends with it. front.cc
void stand_in_front(Start& start);

// oom_score_adj of the calling process; needs a /proc that is the host's. limits.cc
Result<void> set_oom_score(const ProcessPlan& process);
// Rlimits, from the parent's side and from the process's own. limits.cc
Result<void> set_limits(pid_t pid, const ProcessPlan& process);
Result<void> take_limits(const Start& start);

}  // namespace caisson
