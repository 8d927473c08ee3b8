// Functions about processes: spawn, reap.
#include <errno.h>
#include <sys/wait.h>

#include "../core/sys.h"
#include "addon.h"
#include "spawn.h"

namespace caisson::addon {

namespace {

std::vector<std::string> strings_of(const Napi::Value& value) {
  Napi::Array array = value.As<Napi::Array>();
  std::vector<std::string> strings;
  for (uint32_t i = 0; i < array.Length(); i++) strings.push_back(array.Get(i).ToString().Utf8Value());
  return strings;
}

std::vector<int> fds_of(const Napi::Value& value) {
  Napi::Array array = value.As<Napi::Array>();
  std::vector<int> fds;
  for (uint32_t i = 0; i < array.Length(); i++) fds.push_back(array.Get(i).ToNumber().Int32Value());
  return fds;
}

Napi::Value spawn_process(const Napi::CallbackInfo& info) {
  std::string file = info[0].ToString().Utf8Value();
  std::vector<int> fds = fds_of(info[3]);
  Result<pid_t> pid = spawn(file, strings_of(info[1]), strings_of(info[2]), fds);
  if (!pid) return throw_failure(info.Env(), pid.failure());
  return Napi::Number::New(info.Env(), pid.value());
}

Napi::Value reap(const Napi::CallbackInfo& info) {
  pid_t pid = info[0].ToNumber().Int32Value();
  int options = info[1].ToBoolean() ? 0 : WNOHANG;
  int status = 0;
  pid_t ended;
  do {
    ended = waitpid(pid, &status, options);
  } while (ended < 0 && errno == EINTR);
  if (ended < 0) return throw_failure(info.Env(), in_section("reap", 0, Result<void>(sys::last_failure("waitpid"))).failure());
  if (ended == 0) return info.Env().Undefined();
  int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return Napi::Number::New(info.Env(), code);
}

}  // namespace

void export_process(Napi::Env env, Napi::Object exports) {
  exports.Set("spawn", Napi::Function::New(env, spawn_process, "spawn"));
  exports.Set("reap", Napi::Function::New(env, reap, "reap"));
}

}  // namespace caisson::addon
