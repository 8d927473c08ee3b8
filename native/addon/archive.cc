// Archives: listing what one holds, and settling an unpacked layer on those below.
#include <errno.h>
#include <fcntl.h>

#include "../archive/tar_reader.h"
#include "../archive/unpack.h"
#include "../core/sys.h"
#include "addon.h"
#include "unpacked.h"

namespace caisson::addon {

namespace {

constexpr size_t MAX_MEMBERS = 100'000;

struct Member {
  TarEntry entry;
  uint64_t offset = 0, size = 0;
};

Result<std::vector<Member>> list(int fd) {
  FdSource source(fd, FdSource::Kind::file);
  TarReader reader(source);
  std::vector<Member> members;
  for (;;) {
    std::optional<TarEntry> entry = TRY(reader.next());
    if (!entry) return members;
    if (members.size() == MAX_MEMBERS) return refused("", "it has more than 100,000 entries");
    if (!entry->extents.empty()) return refused(entry->name, "is a sparse file");
    members.push_back(Member{std::move(*entry), reader.position(), reader.stored()});
  }
}

const char* name_of(TarType type) {
  switch (type) {
    case TarType::file: return "file";
    case TarType::directory: return "directory";
    case TarType::symlink: return "symlink";
    case TarType::hardlink: return "hardlink";
    case TarType::character: return "character";
    case TarType::block: return "block";
    case TarType::fifo: return "fifo";
  }
  return "";
}

Result<void> settle_at(const std::string& root, const std::vector<std::string>& implied, const std::vector<std::string>& lower) {
  Fd directory = TRY(sys::open(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  return settle(directory.get(), implied, lower);
}

// settleLayer(root, implied, lower)
Napi::Value settle_layer(const Napi::CallbackInfo& info) {
  std::string root = info[0].ToString();
  std::vector<std::string> implied = strings_from(info[1]), lower = strings_from(info[2]);
  auto work = [root, implied, lower]() -> Result<bool> {
    TRY(in_section("unpack", 0, settle_at(root, implied, lower)));
    return true;
  };
  return Task<bool>::run(info.Env(), work, [](Napi::Env env, bool) { return env.Undefined(); });
}

Napi::Value list_archive(const Napi::CallbackInfo& info) {
  int fd = info[0].ToNumber().Int32Value();
  auto work = [fd] { return in_section("unpack", 0, list(fd)); };
  return Task<std::vector<Member>>::run(info.Env(), work, [](Napi::Env env, const std::vector<Member>& members) -> Napi::Value {
    Napi::Array array = Napi::Array::New(env, members.size());
    for (uint32_t i = 0; i < members.size(); i++) {
      Napi::Object object = Napi::Object::New(env);
      object.Set("type", name_of(members[i].entry.type));
      object.Set("name", members[i].entry.name);
      object.Set("link", members[i].entry.link);
      object.Set("offset", static_cast<double>(members[i].offset));
      object.Set("size", static_cast<double>(members[i].size));
      array.Set(i, object);
    }
    return array;
  });
}

Napi::Value strings_of(Napi::Env env, const std::vector<std::string>& strings) {
  Napi::Array array = Napi::Array::New(env, strings.size());
  for (uint32_t i = 0; i < strings.size(); i++) array.Set(i, strings[i]);
  return array;
}

}  // namespace

std::vector<std::string> strings_from(Napi::Value value) {
  Napi::Array array = value.As<Napi::Array>();
  std::vector<std::string> strings;
  for (uint32_t i = 0; i < array.Length(); i++) strings.push_back(array.Get(i).ToString());
  return strings;
}

Napi::Object object_of(Napi::Env env, const Unpacked& unpacked) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("entries", static_cast<double>(unpacked.entries));
  object.Set("bytes", static_cast<double>(unpacked.bytes));
  object.Set("incomplete", strings_of(env, unpacked.incomplete));
  object.Set("incompleteCount", static_cast<double>(unpacked.incomplete_count));
  object.Set("implied", strings_of(env, unpacked.implied));
  return object;
}

void export_archive(Napi::Env env, Napi::Object exports) {
  exports.Set("settleLayer", Napi::Function::New(env, settle_layer, "settleLayer"));
  exports.Set("listArchive", Napi::Function::New(env, list_archive, "listArchive"));
}

}  // namespace caisson::addon
