#include "device_filter.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys.h"

namespace caisson {

namespace {

long bpf(enum bpf_cmd command, union bpf_attr& attributes) {
  return syscall(SYS_bpf, command, &attributes, sizeof attributes);
}

uint64_t pointer(const void* address) { return reinterpret_cast<uintptr_t>(address); }

Result<uint32_t> attached_count(int cgroup) {
  union bpf_attr query = {};
  query.query.target_fd = static_cast<uint32_t>(cgroup);
  query.query.attach_type = BPF_CGROUP_DEVICE;
  TRY(sys::check(bpf(BPF_PROG_QUERY, query), "bpf", "BPF_PROG_QUERY"));
  return query.query.prog_cnt;
}

Result<Fd> load(const std::vector<uint8_t>& program) {
  union bpf_attr attributes = {};
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insns = pointer(program.data());
  attributes.insn_cnt = static_cast<uint32_t>(program.size() / sizeof(struct bpf_insn));
  attributes.license = pointer("Apache-2.0");
  return sys::check_fd(bpf(BPF_PROG_LOAD, attributes), "bpf", "BPF_PROG_LOAD");
}

}  // namespace

// ALLOW_MULTI: a service manager inside may put further filters on cgroups below; the kernel then asks all of them.
Result<void> attach_device_filter(int cgroup, const std::vector<uint8_t>& program) {
  if (program.size() % sizeof(struct bpf_insn) != 0) return Failure{.syscall = "bpf", .error = EINVAL};
  if (TRY(attached_count(cgroup)) > 0) return {};
  Fd loaded = TRY(load(program));
  union bpf_attr attach = {};
  attach.target_fd = static_cast<uint32_t>(cgroup);
  attach.attach_bpf_fd = static_cast<uint32_t>(loaded.get());
  attach.attach_type = BPF_CGROUP_DEVICE;
  attach.attach_flags = BPF_F_ALLOW_MULTI;
  TRY(sys::check(bpf(BPF_PROG_ATTACH, attach), "bpf", "BPF_PROG_ATTACH"));
  return {};
}

}  // namespace caisson
