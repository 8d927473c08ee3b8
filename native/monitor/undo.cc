#include "undo.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

#include <algorithm>

#include "../network/conntrack.h"
#include "../network/netlink.h"
#include "../core/protocol.h"
#include "../core/sys.h"
#include "monitor.h"
#include "remove_cgroup.h"
#include "remove_tree.h"

namespace caisson {

namespace {

// `result`, where any of these errors counts as done.
Result<void> unless(std::initializer_list<int> harmless, Result<void> result) {
  if (!result && std::find(harmless.begin(), harmless.end(), result.failure().error) != harmless.end()) return {};
  return result;
}

Result<void> run_step(const UndoStep& step, int netfilter) {
  switch (step.kind) {
    case UndoKind::firewall:
      return send_batch(netfilter, step.data);
    case UndoKind::conntrack:
      return conntrack_delete(netfilter, step.data);
    case UndoKind::unlink:
      return unless({ENOENT, ENOTDIR}, sys::unlinkat(AT_FDCWD, step.path, 0));
    case UndoKind::rmdir:
      // Shared with others who still use it: the last one takes it away.
      return unless({ENOENT, ENOTEMPTY, EBUSY}, sys::unlinkat(AT_FDCWD, step.path, AT_REMOVEDIR));
    case UndoKind::tree:
      return remove_tree(step.path);
    case UndoKind::cgroup:
      return remove_cgroup(step.path);
  }
  return {};
}

Result<void> undo_as_asked(const char* asked) {
  bool all = strcmp(asked, "all") == 0;
  if (!all && strcmp(asked, "stop") != 0) {
    return Failure{.section = "undo", .syscall = "main", .error = EINVAL, .path = asked};
  }
  std::optional<UndoList> list = TRY(read_undo_list(monitor_fd::state_directory));
  if (!list) return {};
  Result<Fd> netfilter = open_netlink_in(monitor_fd::network_root, NETLINK_NETFILTER);
  return run_undo(*list, all, netfilter ? netfilter.value().get() : -1);
}

}  // namespace

Result<std::optional<UndoList>> read_undo_list(int state_directory) {
  Result<Fd> file = sys::openat(state_directory, "undo", O_RDONLY);
  if (!file && file.failure().error == ENOENT) return std::optional<UndoList>();
  if (!file) return std::move(file).failure();
  std::vector<uint8_t> bytes = TRY(sys::read_all(file.value().get(), 16 << 20));
  return std::optional<UndoList>(TRY(decode_undo_list(bytes)));
}

Result<void> run_undo(const UndoList& list, bool all, int netfilter) {
  for (uint32_t i = 0; i < list.steps.size(); i++) {
    const UndoStep& step = list.steps[i];
    if (!all && step.scope != UndoScope::stop) continue;
    TRY(in_section("undo", i, run_step(step, netfilter)));
  }
  return {};
}

int undo_main(int argc, char** argv) {
  Result<void> done = undo_as_asked(argc > 2 ? argv[2] : "");
  if (done) return 0;
  const Failure& failure = done.failure();
  fprintf(stderr, "undo: step %u: %s %s: %s\n", failure.index, failure.syscall.c_str(), failure.path.c_str(),
          strerror(failure.error));
  return 1;
}

}  // namespace caisson
