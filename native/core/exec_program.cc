#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "child.h"
#include "self.h"
#include "sys.h"

namespace caisson {

namespace {

constexpr const char* kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string search_path(const ProcessPlan& process) {
  std::string path = kDefaultPath;
  for (const std::string& variable : process.env) {
    if (variable.starts_with("PATH=")) path = variable.substr(5);
  }
  return path;
}

// Whether this user can execute it. access(2) asks with the real uid, whose capabilities are those that execve will leave.
Result<void> check_program(const std::string& path) {
  struct stat info;
  TRY(sys::check(::stat(path.c_str(), &info), "execve", path));
  if (!S_ISREG(info.st_mode)) return Failure{.syscall = "execve", .error = EACCES, .path = path};
  TRY(sys::check(::access(path.c_str(), X_OK), "execve", path));
  return {};
}

Result<std::string> search(const std::string& name, const std::string& path) {
  Failure best{.syscall = "execve", .error = ENOENT, .path = name};
  for (size_t begin = 0; begin <= path.size();) {
    size_t end = std::min(path.find(':', begin), path.size());
    std::string directory = path.substr(begin, end - begin);
    std::string candidate = (directory.empty() ? "." : directory) + "/" + name;
    Result<void> usable = check_program(candidate);
    if (usable) return Result<std::string>(std::move(candidate));
    if (usable.failure().error == EACCES) best = std::move(usable).failure();
    begin = end + 1;
  }
  return best;
}

// The kernel says "(unreachable)" where the directory is not below our root: the process must not start in the host's
// files, however it got there (CVE-2024-21626).
Result<void> check_reachable(const std::string& path) {
  char current[4096];
  TRY(sys::check(syscall(SYS_getcwd, current, sizeof current), "getcwd", path));
  if (current[0] != '/') return Failure{.syscall = "getcwd", .error = ENOENT, .path = path};
  return {};
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (const std::string& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

}  // namespace

Result<void> enter_directory(Start& start) {
  const std::string& path = start.process.cwd;
  Fd directory = TRY(start.root.open(path, O_PATH | O_DIRECTORY));
  TRY(sys::check(::fchdir(directory.get()), "fchdir", path));
  return check_reachable(path);
}

Result<void> find_program(Start& start) {
  const std::string& name = start.process.args[0];
  if (name.find('/') != std::string::npos) {
    TRY(check_program(name));
    start.program = name;
  } else {
    start.program = TRY(search(name, search_path(start.process)));
  }
  return {};
}

Failure execute(Start& start) {
  if (start.supervised) stand_in_front(start);
  std::vector<char*> environment = pointers(start.process.env);
  std::vector<char*> arguments = pointers(start.process.args);
  Failure failure;
  if (start.init) {
    std::vector<std::string> front = {"caisson-init", "init", start.program};
    std::vector<char*> all = pointers(front);
    all.insert(all.end() - 1, arguments.begin(), arguments.end() - 1);
    failure = execute_self(start.init, all.data(), environment.data());
  } else {
    ::execve(start.program.c_str(), arguments.data(), environment.data());
    failure = sys::last_failure("execve", start.program);
  }
  failure.section = "exec";
  return failure;
}

}  // namespace caisson
