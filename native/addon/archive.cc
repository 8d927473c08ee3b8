// Archives: unpacking one, and listing what one holds.
#include <errno.h>
#include <fcntl.h>

#include "../archive/tar_reader.h"
#include "../archive/unpack.h"
#include "../core/sys.h"
#include "addon.h"

namespace caisson::addon {

namespace {

constexpr size_t MAX_MEMBERS = 100'000;

struct Member {
  TarEntry entry;
  uint64_t offset = 0, size = 0;
};

Result<Unpacked> unpack_from(int fd, const std::string& root, const UnpackOptions& options) {
  FdSource source(fd, FdSource::Kind::stream);
  Fd directory = TRY(sys::open(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  return unpack(source, directory.get(), options);
}

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

Napi::Value strings_of(Napi::Env env, const std::vector<std::string>& strings) {
  Napi::Array array = Napi::Array::New(env, strings.size());
  for (uint32_t i = 0; i < strings.size(); i++) array.Set(i, strings[i]);
  return array;
}

Napi::Value unpack_archive(const Napi::CallbackInfo& info) {
  int fd = info[0].ToNumber().Int32Value();
  std::string root = info[1].ToString();
  Napi::Object given = info[2].As<Napi::Object>();
  UnpackOptions options;
  options.form = given.Get("layer").ToBoolean() ? Form::layer : Form::rootfs;
  Napi::Array lower = given.Get("lower").As<Napi::Array>();
  for (uint32_t i = 0; i < lower.Length(); i++) options.lower.push_back(lower.Get(i).ToString());
  auto work = [fd, root, options] { return in_section("unpack", 0, unpack_from(fd, root, options)); };
  return Task<Unpacked>::run(info.Env(), work, [](Napi::Env env, const Unpacked& unpacked) -> Napi::Value {
    Napi::Object object = Napi::Object::New(env);
    object.Set("entries", static_cast<double>(unpacked.entries));
    object.Set("bytes", static_cast<double>(unpacked.bytes));
    object.Set("incomplete", strings_of(env, unpacked.incomplete));
    object.Set("incompleteCount", static_cast<double>(unpacked.incomplete_count));
    return object;
  });
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

}  // namespace

void export_archive(Napi::Env env, Napi::Object exports) {
  exports.Set("unpackArchive", Napi::Function::New(env, unpack_archive, "unpackArchive"));
  exports.Set("listArchive", Napi::Function::New(env, list_archive, "listArchive"));
}

}  // namespace caisson::addon
