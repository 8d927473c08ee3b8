#include "joins.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "../core/ask.h"
#include "../core/sys.h"
#include "remove_cgroup.h"

namespace caisson {

namespace {

// A failure names the container that was to be joined.
template <class T>
Result<T> joining(const Join& join, size_t index, Result<T> result) {
  if (!result) result.failure().path = join.container;
  return in_section("joins", static_cast<uint32_t>(index), std::move(result));
}

// Where a process is that has been somewhere else: mount namespace, root and working directory.
class MountVisit {
 public:
  static Result<MountVisit> enter(int init) {
    MountVisit visit;
    visit.back_ = TRY(sys::open("/proc/self/ns/mnt", O_RDONLY));
    visit.root_ = TRY(sys::open("/", O_PATH | O_DIRECTORY));
    TRY(sys::setns(init, CLONE_NEWNS));
    visit.away_ = true;
    return visit;
  }
  MountVisit(MountVisit&& other) : back_(std::move(other.back_)), root_(std::move(other.root_)), away_(other.away_) {
    other.away_ = false;
  }
  MountVisit& operator=(MountVisit&&) = delete;
  // Nothing that follows would do what it says.
  ~MountVisit() {
    if (!away_) return;
    bool returned = sys::setns(back_.get(), CLONE_NEWNS) && fchdir(root_.get()) == 0 && chroot(".") == 0;
    if (!returned) abort();
  }

 private:
  MountVisit() = default;
  Fd back_, root_;
  bool away_ = false;
};

// A mount of another mount namespace cannot be cloned from here, but its detached clone can be mounted here. The path is the
// other container's to arrange: no symlink of it is followed, and all that it can lead to is its own.
Result<Fd> clone_mount(int init, const std::string& path) {
  MountVisit visit = TRY(MountVisit::enter(init));
  open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .mode = 0, .resolve = RESOLVE_NO_SYMLINKS};
  Fd place = TRY(sys::openat2(AT_FDCWD, path, how));
  return sys::open_tree(place.get(), "", AT_EMPTY_PATH | OPEN_TREE_CLONE);
}

Result<void> clone_mounts(const LaunchPlan& plan, int init, std::vector<Fd>& sources) {
  sources.resize(plan.mounts.size());
  for (size_t i = 0; i < plan.mounts.size(); i++) {
    if (plan.mounts[i].kind == MountKind::joined) sources[i] = TRY(clone_mount(init, plan.mounts[i].source));
  }
  return {};
}

Result<void> join_one(const LaunchPlan& plan, const Join& join, std::vector<Fd>& sources) {
  uint64_t wanted = join.namespaces & (CLONE_NEWIPC | CLONE_NEWPID);
  if (wanted == 0) return {};
  Fd init = TRY(ask_monitor(join.control_socket, FrameType::pidfd));
  if (wanted & CLONE_NEWIPC) TRY(clone_mounts(plan, init.get(), sources));
  return sys::setns(init.get(), static_cast<int>(wanted));
}

// So that the next child is one of ours again.
Result<void> leave_pid_namespace() {
  Fd own = TRY(sys::open("/proc/self/ns/pid", O_RDONLY));
  return sys::setns(own.get(), CLONE_NEWPID);
}

}  // namespace

Result<void> join_network(const LaunchPlan& plan) {
  for (size_t i = 0; i < plan.joins.size(); i++) {
    const Join& join = plan.joins[i];
    if (!(join.namespaces & CLONE_NEWNET)) continue;
    Fd network = TRY(joining(join, i, ask_monitor(join.control_socket, FrameType::network)));
    TRY(joining(join, i, sys::setns(network.get(), CLONE_NEWNET)));
  }
  return {};
}

Result<Container> create_joined(const LaunchPlan& plan) {
  std::vector<Fd> sources;
  for (size_t i = 0; i < plan.joins.size(); i++) TRY(joining(plan.joins[i], i, join_one(plan, plan.joins[i], sources)));
  Result<Container> container = create_container(plan, std::move(sources));
  if (!plan.joins.empty()) TRY(leave_pid_namespace());
  return container;
}

bool owns_pid_namespace(const LaunchPlan& plan) { return plan.clone_flags & CLONE_NEWPID; }

void end_processes(const LaunchPlan& plan) {
  for (const Cgroup& cgroup : plan.cgroups) (void)remove_cgroup(cgroup.path);
}

}  // namespace caisson
