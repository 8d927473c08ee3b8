// Our own binary where a container may come near it: only as a read-only detached mount (CVE-2019-5736). Nothing of it
// shows in any mount table, pages stay shared, and a write through /proc/PID/exe is EROFS even for a privileged container.
#pragma once

#include <string>
#include <vector>

#include "fd.h"
#include "result.h"
#include "sys.h"

namespace caisson {

// /proc/self/exe as a detached read-only mount, for execveat(fd, "", …, AT_EMPTY_PATH). Needs CAP_SYS_ADMIN.
Result<Fd> open_self_read_only();

// Executes `self` with these arguments; returns only with a failure. Both lists end with a null pointer.
Failure execute_self(const Fd& self, char* const argv[], char* const envp[]);

// Starts `self` as a child: `arguments`, an empty environment, descriptors[i] as descriptor i and no others, no signal blocked.
// Who does it often keeps `self`: the end of a detached mount costs the kernel a grace period.
Result<sys::Clone> spawn_self(const Fd& self, const std::vector<std::string>& arguments, const std::vector<int>& descriptors);

}  // namespace caisson
