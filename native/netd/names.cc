#include "names.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../core/fd.h"

namespace caisson {
namespace {

constexpr size_t MAX_ADDRESSES = 2048, MAX_REVERSE_NAMES = 8;

struct Entry {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[];
};

// openat2 and getdents64 by themselves: opendir would allocate 32 KB for each query. Fd{}: not there.
Fd open_below(int directory, std::string_view name, uint64_t flags) {
  char path[NAME_MAX + 1];
  if (name.empty() || name.size() >= sizeof path) return Fd();
  path[name.copy(path, name.size())] = '\0';
  open_how how = {.flags = flags | O_CLOEXEC, .mode = 0, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
  return Fd(::syscall(SYS_openat2, directory, path, &how, sizeof how));
}

// Calls `visit(name)` for each entry, until it says false.
template <class Visit>
void for_each_entry(int directory, Visit visit) {
  alignas(Entry) char buffer[4096];
  for (;;) {
    long size = ::syscall(SYS_getdents64, directory, buffer, sizeof buffer);
    if (size <= 0) return;
    for (long at = 0; at < size;) {
      auto* entry = reinterpret_cast<const Entry*>(buffer + at);
      if (entry->name[0] != '.' && !visit(entry->name)) return;
      at += entry->length;
    }
  }
}

// A file name and nothing else: `a/b` is not a name, and the entries are lower case.
bool is_entry(std::string_view name) {
  return !name.empty() && name[0] != '.' && name.find('/') == name.npos && name.find('\0') == name.npos;
}

bool read_directory(int network, std::string_view name, std::vector<uint32_t>& addresses) {
  if (!is_entry(name)) return false;
  Fd directory = open_below(network, name, O_RDONLY | O_DIRECTORY);
  if (!directory) return false;
  for_each_entry(directory.get(), [&](const char* text) {
    in_addr address;
    if (inet_pton(AF_INET, text, &address) == 1) addresses.push_back(address.s_addr);
    return addresses.size() < MAX_ADDRESSES;
  });
  return true;
}

}  // namespace

std::string_view Names::meant_by(std::string_view name) const {
  for (const Alias& item : aliases_) {
    if (item.alias == name) return item.name;
  }
  return name;
}

bool Names::find(std::string_view asked, std::vector<uint32_t>& addresses) const {
  std::string_view name = meant_by(asked);
  bool known = false;
  for (const NetworkNames& item : networks_) {
    known = read_directory(item.directory, name, addresses) || known;
    std::string_view plain = name;
    if (!item.network.empty() && plain.ends_with(item.network) && addresses.empty()) {
      plain.remove_suffix(item.network.size());
      if (plain.ends_with('.')) known = read_directory(item.directory, plain.substr(0, plain.size() - 1), addresses) || known;
    }
    if (!addresses.empty()) return true;
  }
  return known;
}

std::vector<std::string> Names::find_names(uint32_t address) const {
  std::vector<std::string> names;
  char entry[1 + INET_ADDRSTRLEN] = "@";
  inet_ntop(AF_INET, &address, entry + 1, INET_ADDRSTRLEN);
  for (const NetworkNames& item : networks_) {
    Fd directory = open_below(item.directory, entry, O_RDONLY | O_DIRECTORY);
    for_each_entry(directory.get(), [&](const char* name) {
      names.push_back(item.network.empty() ? name : std::string(name) + "." + item.network);
      return names.size() < MAX_REVERSE_NAMES;
    });
  }
  return names;
}

}  // namespace caisson
