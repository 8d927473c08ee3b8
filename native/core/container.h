// The parent's side of the start path: makes one container out of its LaunchPlan. Its child's side is child.cc.
#pragma once

#include <sys/types.h>

#include <vector>

#include "fd.h"
#include "launch_plan.h"
#include "result.h"

namespace caisson {

struct Container {
  Fd pidfd;           // of the init; its death ends the container
  pid_t pid = 0;      // in the caller's pid namespace
  pid_t host_pid = 0; // in the pid namespace of the caller's /proc
  Fd sync;            // start protocol, until release_container
  // Our ends of the container's stdio, blocking. With a terminal only `terminal` is there (the pty master), without one
  // the other three; stdin_write only with openStdin.
  Fd stdin_write, stdout_read, stderr_read, terminal;
};

// Makes the cgroups, clones the child into its namespaces and waits until all is built and it stands at the barrier before
// execve. The network namespace is the caller's own. After a failure nothing of the container runs any more and the failure
// names section, item, system call, errno and path; cgroups and upper directory are left to the undo list.
// `sources`: detached trees of its mounts of kind `joined`, index as plan.mounts; may be empty where there are none.
Result<Container> create_container(const LaunchPlan& plan, std::vector<Fd> sources = {});

// Lets it pass the barrier. Returns when execve has succeeded, or with its failure (then the process is gone and reaped).
// ENOENT of execve (from either function) means exit code 127, any other failure of section `exec` 126.
Result<void> release_container(Container& container);

// Creates plan.cgroups with their limits; existing directories are used again. Called by create_container.
Result<void> make_cgroups(const LaunchPlan& plan);

// Creates plan.monitorCgroups and moves the calling process into those of v1. The unified one comes back as a directory,
// for clone3 to make the monitor in: no process has to move then. Empty: there is none.
Result<Fd> enter_monitor_cgroups(const LaunchPlan& plan);

}  // namespace caisson
