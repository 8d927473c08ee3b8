// The device filter of cgroup v2: an eBPF program on the container's cgroup (v1 has devices.allow and devices.deny).
#pragma once

#include <cstdint>
#include <vector>

#include "result.h"

namespace caisson {

// Loads `program` (struct bpf_insn each) and attaches it, unless the directory still has one from an earlier run.
Result<void> attach_device_filter(int cgroup, const std::vector<uint8_t>& program);

}  // namespace caisson
