#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>

#include "child.h"
#include "container.h"
#include "device_filter.h"
#include "sys.h"

namespace caisson {

namespace {

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

bool is_blank(const std::string& text) { return text.find_first_not_of(" \n") == std::string::npos; }

// Ancestors that already have processes of their own, or the controller, are what these two errors mean.
Result<void> prepare(const Setting& setting) {
  TRY(sys::make_directories(parent_of(setting.path), 0755));
  Result<void> written = sys::write_file(AT_FDCWD, setting.path, setting.value);
  if (written || written.failure().error == EBUSY || written.failure().error == EEXIST) return {};
  return written;
}

// A v1 cpuset starts empty, and joining an empty one is ENOSPC: fill it from the nearest ancestor that has a value.
Result<std::string> inherit_cpuset(const std::string& directory, const std::string& file) {
  std::string value = TRY(sys::read_file(AT_FDCWD, directory + "/" + file, 4096));
  if (!is_blank(value)) return value;
  std::string parent = parent_of(directory);
  Result<std::string> inherited = inherit_cpuset(parent, file);
  if (!inherited) return inherited;
  TRY(sys::write_file(AT_FDCWD, directory + "/" + file, inherited.value()));
  return inherited;
}

Result<void> make_cgroup(const Cgroup& cgroup) {
  for (const Setting& setting : cgroup.prepare) TRY(prepare(setting));
  TRY(sys::make_directories(cgroup.path, 0755));
  if (cgroup.inherit_cpuset) {
    TRY(inherit_cpuset(cgroup.path, "cpuset.cpus"));
    TRY(inherit_cpuset(cgroup.path, "cpuset.mems"));
  }
  Fd directory = TRY(sys::open(cgroup.path, O_PATH | O_DIRECTORY));
  for (const Setting& limit : cgroup.limits) {
    Result<void> written = sys::write_file(directory.get(), limit.path, limit.value);
    if (!written) {
      written.failure().path = cgroup.path + "/" + limit.path;
      return written;
    }
  }
  return {};
}

Result<void> make_all(const std::vector<Cgroup>& cgroups) {
  for (size_t i = 0; i < cgroups.size(); i++) TRY(at_item(i, make_cgroup(cgroups[i])));
  return {};
}

}  // namespace

Result<void> make_cgroups(const LaunchPlan& plan) { return in_section("cgroup", make_all(plan.cgroups)); }

Result<Fd> enter_monitor_cgroups(const LaunchPlan& plan) {
  TRY(in_section("cgroup", make_all(plan.monitor_cgroups)));
  Fd unified;
  for (size_t i = 0; i < plan.monitor_cgroups.size(); i++) {
    const Cgroup& cgroup = plan.monitor_cgroups[i];
    if (!cgroup.join) continue;
    if (cgroup.unified) {
      unified = TRY(in_section("cgroup", at_item(i, sys::open(cgroup.path, O_RDONLY | O_DIRECTORY))));
    } else {
      TRY(in_section("cgroup", at_item(i, sys::write_file(AT_FDCWD, cgroup.path + "/tasks", "0"))));
    }
  }
  return unified;
}

Result<CgroupEntry> open_cgroups(const LaunchPlan& plan) {
  CgroupEntry entry;
  for (size_t i = 0; i < plan.cgroups.size(); i++) {
    const Cgroup& cgroup = plan.cgroups[i];
    if (cgroup.unified) {
      Fd directory = TRY(at_item(i, sys::open(cgroup.path, O_RDONLY | O_DIRECTORY)));
      if (!plan.device_filter.empty()) TRY(at_item(i, attach_device_filter(directory.get(), plan.device_filter)));
      if (cgroup.join) entry.unified = std::move(directory);
    } else if (cgroup.join) {
      entry.joins.push_back(TRY(at_item(i, sys::open(cgroup.path + "/tasks", O_WRONLY))));
    }
  }
  return entry;
}

Result<void> join_planned_cgroups(Child& child) {
  for (size_t i = 0; i < child.cgroup_joins.size(); i++) {
    TRY(at_item(i, sys::write_all(child.cgroup_joins[i].get(), "0", 1, "tasks")));
  }
  child.cgroup_joins.clear();
  return {};
}

}  // namespace caisson
