// vfork and exec with a chosen set of descriptors.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "../core/result.h"

namespace caisson::addon {

// fds[i] becomes fd i of the child (-1: closed), all others are closed; default signal handling, nothing blocked.
// Returns when execve has succeeded or failed: a failure of any step in the child is the result.
Result<pid_t> spawn(const std::string& file, const std::vector<std::string>& args, const std::vector<std::string>& env,
                    std::span<const int> fds);

}  // namespace caisson::addon
