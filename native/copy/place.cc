#include "place.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>

#include <optional>
#include <string_view>

#include "../core/ask.h"
#include "../core/child.h"
#include "../core/sys.h"

namespace caisson {

namespace {

Result<Root> enter_running(const std::string& control_socket) {
  Fd init = TRY(ask_monitor(control_socket, FrameType::pidfd));
  TRY(sys::setns(init.get(), CLONE_NEWNS));
  return Root(TRY(sys::open("/", O_PATH | O_DIRECTORY)));
}

// `image` is always read-only; `subpath` and `layer` after a mount belong to it.
std::optional<MountKind> kind_of(std::string_view key) {
  if (key.starts_with("bind")) return MountKind::bind;
  if (key.starts_with("volume")) return MountKind::volume;
  if (key == "image-ro") return MountKind::image;
  return std::nullopt;
}

Result<LaunchPlan> plan_of(std::span<char* const> words) {
  LaunchPlan plan;
  for (size_t i = 0; i + 1 < words.size(); i += 2) {
    std::string key = words[i], value = words[i + 1];
    if (key == "lower") plan.lower.push_back(value);
    else if (key == "upper") plan.upper = value;
    else if (key == "work") plan.work = value;
    else if (key == "subpath" && !plan.mounts.empty()) plan.mounts.back().subpath = value;
    else if (key == "layer" && !plan.mounts.empty()) plan.mounts.back().layers.push_back(value);
    else if (std::optional<MountKind> kind = kind_of(key); kind && i + 2 < words.size()) {
      Mount mount;
      mount.kind = *kind;
      mount.source = value;
      mount.target = words[++i + 1];
      mount.recursive = true;
      mount.attributes = key.ends_with("-ro") ? MOUNT_ATTR_RDONLY : 0;
      mount.create = CreateTarget::directory;
      mount.optional = true;
      plan.mounts.push_back(mount);
    } else return Failure{.syscall = "check", .error = EINVAL, .path = key};
  }
  if (plan.lower.empty()) return Failure{.syscall = "check", .error = EINVAL, .path = "lower"};
  return plan;
}

// As a start of the container would, without what a copy does not see: /proc, /dev, tmpfs.
Result<Root> enter_stopped(std::span<char* const> words) {
  LaunchPlan plan = TRY(plan_of(words));
  ProcessPlan process;
  Child child{.plan = plan,
              .start = {.process = process, .channel = Channel(Fd()), .stdio = {}, .root = {}, .terminal = {}, .program = {}, .init = {}},
              .cgroup_joins = {}, .sources = {}};
  TRY(sys::unshare(CLONE_NEWNS));
  TRY(open_bind_sources(child));
  TRY(leave_host_mounts(child));
  TRY(in_section("rootfs", mount_root(child)));
  TRY(in_section("mounts", apply_mounts(child)));
  TRY(enter_root(child));
  return std::move(child.start.root);
}

}  // namespace

Result<Root> enter_place(const std::string& kind, const std::string& place, std::span<char* const> more) {
  if (kind == "running") return enter_running(place);
  if (kind == "stopped") return enter_stopped(more);
  return Root(TRY(sys::open(place, O_PATH | O_DIRECTORY)));
}

}  // namespace caisson
