#include "memory_events.h"

#include <fcntl.h>
#include <stdlib.h>

#include "../core/sys.h"

namespace caisson {

namespace {

// "oom_kill <n>" of memory.oom_control (v1, since Linux 4.13) and of memory.events (v2).
uint64_t read_count(const std::string& path) {
  Result<std::string> text = sys::read_file(AT_FDCWD, path, 4096);
  if (!text) return 0;
  std::string lines = "\n" + text.value();
  size_t at = lines.find("\noom_kill ");
  return at == std::string::npos ? 0 : strtoull(lines.c_str() + at + sizeof "\noom_kill " - 1, nullptr, 10);
}

}  // namespace

uint64_t oom_kills(const MemoryEvents& events) {
  switch (events.kind) {
    case MemoryEventsKind::none:
      return 0;
    case MemoryEventsKind::v1:
      return read_count(events.path + "/memory.oom_control");
    case MemoryEventsKind::v2:
      return read_count(events.path + "/memory.events");
  }
  return 0;
}

}  // namespace caisson
