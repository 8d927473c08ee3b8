#include "self.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

namespace caisson {

Result<Fd> open_self_read_only() {
  Fd self = TRY(sys::open_tree(AT_FDCWD, "/proc/self/exe", OPEN_TREE_CLONE));
  TRY(sys::mount_setattr(self.get(), 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0, MS_PRIVATE));
  return self;
}

Failure execute_self(const Fd& self, char* const argv[], char* const envp[]) {
  ::execveat(self.get(), "", argv, envp, AT_EMPTY_PATH);
  return sys::last_failure("execveat", "/proc/self/exe");
}

namespace {

// Each descriptor goes to its number; first all are lifted above them, so that none is overwritten. The last one stays.
[[noreturn]] void become_self(const std::vector<std::string>& arguments, std::vector<int> descriptors) {
  int count = static_cast<int>(descriptors.size());
  for (int& fd : descriptors) fd = ::fcntl(fd, F_DUPFD, count);
  for (int i = 0; i < count; i++) {
    if (::dup2(descriptors[static_cast<size_t>(i)], i) < 0) ::_exit(126);
  }
  if (!sys::close_range(static_cast<unsigned>(count), ~0u, 0)) ::_exit(126);
  Fd self(count - 1);
  (void)sys::set_cloexec(self.get(), true);
  (void)sys::block_signals(false);
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  char* envp[] = {nullptr};
  (void)execute_self(self, argv.data(), envp);
  ::_exit(126);
}

}  // namespace

Result<sys::Clone> spawn_self(const Fd& self, const std::vector<std::string>& arguments, const std::vector<int>& descriptors) {
  std::vector<int> all = descriptors;
  all.push_back(self.get());
  sys::Clone child = TRY(sys::clone3(0));
  if (child.pid == 0) become_self(arguments, std::move(all));
  return child;
}

}  // namespace caisson
