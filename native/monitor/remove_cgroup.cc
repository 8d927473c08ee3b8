#include "remove_cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "../core/sys.h"

namespace caisson {

namespace {

// A cgroup stays busy for a moment after its last process has ended.
constexpr int ATTEMPTS = 45;
constexpr int NAP_LIMIT_MS = 50;
// A container that may write its cgroups makes the depth.
constexpr int MAX_DEPTH = 16;

// v2 has a file for it (5.14); on v1 each pid. A process outside our pid namespace reads as 0, which kill(2) would take for
// our own process group.
void kill_all(const std::string& path) {
  (void)sys::write_file(AT_FDCWD, path + "/freezer.state", "THAWED");  // v1: what is frozen does not die
  if (sys::write_file(AT_FDCWD, path + "/cgroup.kill", "1")) return;
  Result<std::string> pids = sys::read_file(AT_FDCWD, path + "/cgroup.procs", 1 << 20);
  if (!pids) return;
  const char* at = pids.value().c_str();
  for (char* end; *at != '\0'; at = *end == '\n' ? end + 1 : end) {
    long pid = strtol(at, &end, 10);
    if (end == at) return;
    if (pid > 0 && pid != getpid()) kill(static_cast<pid_t>(pid), SIGKILL);
  }
}

void remove_below(const std::string& path, int depth);

Result<void> remove_one(const std::string& path, int depth) {
  Result<void> gone = sys::unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
  for (int attempt = 0, nap_ms = 1; attempt < ATTEMPTS; attempt++, nap_ms = std::min(nap_ms * 2, NAP_LIMIT_MS)) {
    if (gone || gone.failure().error == ENOENT) return {};
    if (gone.failure().error != EBUSY) return gone;
    kill_all(path);
    remove_below(path, depth + 1);
    usleep(static_cast<useconds_t>(nap_ms) * 1000);
    gone = sys::unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
  }
  return gone;
}

void remove_below(const std::string& path, int depth) {
  if (depth > MAX_DEPTH) return;
  std::unique_ptr<DIR, int (*)(DIR*)> list(opendir(path.c_str()), closedir);
  if (!list) return;
  while (const struct dirent* entry = readdir(list.get())) {
    std::string name = entry->d_name;
    if (entry->d_type == DT_DIR && name != "." && name != "..") (void)remove_one(path + "/" + name, depth);
  }
}

}  // namespace

Result<void> remove_cgroup(const std::string& path) { return remove_one(path, 0); }

}  // namespace caisson
