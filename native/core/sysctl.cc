#include <fcntl.h>
#include <unistd.h>

#include "child.h"
#include "sys.h"

namespace caisson {

namespace {

// Ours alone, never attached: what the image or a volume has put at /proc does not matter (CVE-2019-16884, 2025-52881).
Result<Fd> open_private_procfs() {
  Fd fs = TRY(sys::fsopen("proc"));
  TRY(sys::fsconfig_create(fs.get()));
  return sys::fsmount(fs.get(), 0);
}

Result<void> write_sysctl(int procfs, const Setting& setting) {
  std::string path = "sys/" + setting.path;
  struct open_how how = {};
  how.flags = O_WRONLY;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
  Fd file = TRY(sys::openat2(procfs, path, how));
  return sys::write_all(file.get(), setting.value.data(), setting.value.size(), path);
}

}  // namespace

Result<void> write_sysctls(Child& child) {
  const std::vector<Setting>& sysctls = child.plan.sysctls;
  if (sysctls.empty()) return {};
  Fd procfs = TRY(open_private_procfs());
  for (size_t i = 0; i < sysctls.size(); i++) TRY(at_item(i, write_sysctl(procfs.get(), sysctls[i])));
  return {};
}

}  // namespace caisson
