// Functions about files: locks, descriptors, files of images.
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <chrono>
#include <thread>

#include "../core/sys.h"
#include "addon.h"
#include "layers.h"

namespace caisson::addon {

namespace {

struct flock whole_file(short type = F_WRLCK) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

// An empty Fd: somebody else holds it.
Result<Fd> try_lock(const std::string& path, bool shared) {
  Fd fd = TRY(sys::open(path, O_RDWR | O_CREAT, 0600));
  struct flock lock = whole_file(shared ? F_RDLCK : F_WRLCK);
  if (fcntl(fd.get(), F_OFD_SETLK, &lock) == 0) return fd;
  if (errno == EAGAIN || errno == EACCES) return Fd();
  return sys::last_failure("fcntl", path);
}

// F_OFD_SETLKW has no deadline and no way to be woken: short naps instead.
Result<Fd> wait_lock(const std::string& path, int timeout_ms, bool shared) {
  using namespace std::chrono;
  auto deadline = steady_clock::now() + milliseconds(timeout_ms);
  for (auto nap = 1ms;; nap = std::min(nap * 2, 16ms)) {
    Fd fd = TRY(try_lock(path, shared));
    if (fd || steady_clock::now() >= deadline) return fd;
    std::this_thread::sleep_for(nap);
  }
}

Result<bool> is_held(const std::string& path) {
  Result<Fd> fd = sys::open(path, O_RDONLY);
  if (!fd && fd.failure().error == ENOENT) return false;
  if (!fd) return std::move(fd).failure();
  struct flock lock = whole_file();
  TRY(sys::check(fcntl(fd.value().get(), F_OFD_GETLK, &lock), "fcntl", path));
  return lock.l_type != F_UNLCK;
}

// False where the file system cannot: then the file stays as it is.
Result<bool> punch_front(const std::string& path, int64_t bytes) {
  Fd fd = TRY(sys::open(path, O_WRONLY));
  return fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, bytes) == 0;
}

Result<std::vector<uint8_t>> read_in_layers(std::span<const std::string> layers, const std::string& path, size_t limit) {
  Fd file = TRY(open_in_layers(layers, path));
  return sys::read_all(file.get(), limit);
}

Napi::Value fd_or_undefined(Napi::Env env, Fd fd) {
  return fd ? Napi::Number::New(env, fd.release()) : env.Undefined();
}

Napi::Value lock(const Napi::CallbackInfo& info) {
  Result<Fd> fd = in_section("lock", 0, try_lock(info[0].ToString(), info[1].ToBoolean()));
  if (!fd) return throw_failure(info.Env(), fd.failure());
  return fd_or_undefined(info.Env(), std::move(fd).value());
}

Napi::Value lock_wait(const Napi::CallbackInfo& info) {
  std::string path = info[0].ToString();
  int timeout_ms = info[1].ToNumber().Int32Value();
  bool shared = info[2].ToBoolean();
  auto work = [path, timeout_ms, shared] { return in_section("lock", 0, wait_lock(path, timeout_ms, shared)); };
  return Task<Fd>::run(info.Env(), work, [](Napi::Env env, Fd fd) { return fd_or_undefined(env, std::move(fd)); });
}

Napi::Value is_locked(const Napi::CallbackInfo& info) {
  Result<bool> held = in_section("lock", 0, is_held(info[0].ToString()));
  if (!held) return throw_failure(info.Env(), held.failure());
  return Napi::Boolean::New(info.Env(), held.value());
}

Napi::Value punch_hole(const Napi::CallbackInfo& info) {
  int64_t bytes = info[1].ToNumber().Int64Value();
  Result<bool> punched = in_section("journal", 0, punch_front(info[0].ToString(), bytes));
  if (!punched) return throw_failure(info.Env(), punched.failure());
  return Napi::Boolean::New(info.Env(), punched.value());
}

Napi::Value socket_pair(const Napi::CallbackInfo& info) {
  Result<sys::Pair> pair = in_section("spawn", 0, sys::socketpair(SOCK_STREAM));
  if (!pair) return throw_failure(info.Env(), pair.failure());
  Napi::Array fds = Napi::Array::New(info.Env(), 2);
  fds.Set(0u, pair.value().first.release());
  fds.Set(1u, pair.value().second.release());
  return fds;
}

Napi::Value open_path(const Napi::CallbackInfo& info) {
  Result<Fd> fd = in_section("open", 0, sys::open(info[0].ToString(), O_RDONLY));
  if (!fd) return throw_failure(info.Env(), fd.failure());
  return Napi::Number::New(info.Env(), fd.value().release());
}

Napi::Value read_in_root(const Napi::CallbackInfo& info) {
  Napi::Array array = info[0].As<Napi::Array>();
  std::vector<std::string> layers;
  for (uint32_t i = 0; i < array.Length(); i++) layers.push_back(array.Get(i).ToString());
  size_t limit = static_cast<size_t>(info[2].ToNumber().Int64Value());
  auto content = in_section("image", 0, read_in_layers(layers, info[1].ToString(), limit));
  if (content) return Napi::Buffer<uint8_t>::Copy(info.Env(), content.value().data(), content.value().size());
  int error = content.failure().error;
  bool absent = error == ENOENT || error == ENOTDIR || error == EISDIR;
  return absent ? info.Env().Undefined() : throw_failure(info.Env(), content.failure());
}

}  // namespace

void export_files(Napi::Env env, Napi::Object exports) {
  exports.Set("socketPair", Napi::Function::New(env, socket_pair, "socketPair"));
  exports.Set("lock", Napi::Function::New(env, lock, "lock"));
  exports.Set("lockWait", Napi::Function::New(env, lock_wait, "lockWait"));
  exports.Set("isLocked", Napi::Function::New(env, is_locked, "isLocked"));
  exports.Set("punchHole", Napi::Function::New(env, punch_hole, "punchHole"));
  exports.Set("openPath", Napi::Function::New(env, open_path, "openPath"));
  exports.Set("readInRoot", Napi::Function::New(env, read_in_root, "readInRoot"));
}

}  // namespace caisson::addon
