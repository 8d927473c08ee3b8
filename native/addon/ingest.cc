// The class Ingest: what native/ingest does, for JavaScript. Its threads speak to the main thread through one thread-safe function.
#include "../ingest/ingest.h"

#include <fcntl.h>

#include "../core/sys.h"
#include "addon.h"
#include "unpacked.h"

namespace caisson::addon {

namespace {

Napi::Object blob_object(Napi::Env env, Ingested& blob, bool digest_only) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("digest", blob.digest);
  object.Set("size", static_cast<double>(blob.size));
  if (blob.refused) {
    object.Set("refused", error_of(env, *blob.refused).Value());
  } else if (!digest_only) {
    object.Set("diffId", blob.diff_id);
    object.Set("unpacked", object_of(env, blob.unpacked));
  }
  return object;
}

// Throws what stands against it; then the value is to be returned at once.
IngestOptions options_of(Napi::Env env, Napi::Object given) {
  IngestOptions options;
  auto number = [](Napi::Value value) { return static_cast<uint64_t>(value.ToNumber().Int64Value()); };
  options.algorithm = given.Get("algorithm").ToString();
  if (!given.Get("blob").IsUndefined()) options.blob = given.Get("blob").ToString();
  options.prefix = number(given.Get("prefix"));
  options.limit = number(given.Get("limit"));
  if (given.Get("file").IsObject()) {
    Napi::Object file = given.Get("file").ToObject();
    options.file = file.Get("fd").ToNumber().Int32Value();
    options.file_offset = number(file.Get("offset"));
    options.file_size = number(file.Get("size"));
  }
  options.unpack.form = given.Get("layer").ToBoolean() ? Form::layer : Form::rootfs;
  options.unpack.unsettled = given.Get("lower").IsUndefined();
  if (!options.unpack.unsettled) options.unpack.lower = strings_from(given.Get("lower"));
  if (given.Get("root").IsUndefined()) return options;
  Result<Fd> root = in_section("unpack", 0, sys::open(given.Get("root").ToString(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (root) options.root = std::move(root).value().release();
  else throw_failure(env, root.failure());
  return options;
}

class IngestObject final : public Napi::ObjectWrap<IngestObject> {
 public:
  explicit IngestObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<IngestObject>(info) {
    IngestOptions options = options_of(info.Env(), info[0].ToObject());
    if (info.Env().IsExceptionPending()) return;
    keeps_digest_only_ = options.root < 0;
    call_ = Napi::ThreadSafeFunction::New(info.Env(), info[1].As<Napi::Function>(), "ingest", 0, 1);
    Ref();  // as long as threads use it
    auto on_room = [this] { call_.NonBlockingCall([](Napi::Env, Napi::Function room) { room.Call({}); }); };
    auto on_done = [this](Result<Ingested> result) {
      outcome_.emplace(std::move(result));
      call_.NonBlockingCall([this](Napi::Env env, Napi::Function) { finish(env); });
    };
    ingest_ = std::make_unique<Ingest>(std::move(options), on_room, on_done);
  }

  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Ingest",
                       {InstanceMethod("write", &IngestObject::write), InstanceMethod("end", &IngestObject::end)});
  }

 private:
  Napi::Value write(const Napi::CallbackInfo& info) {
    Napi::Uint8Array given = info[0].As<Napi::Uint8Array>();
    auto bytes = std::make_unique_for_overwrite<uint8_t[]>(given.ByteLength());
    std::copy_n(given.Data(), given.ByteLength(), bytes.get());
    std::optional<bool> room;
    if (ingest_) room = ingest_->offer(Block(std::move(bytes), given.ByteLength()));
    return room ? Napi::Boolean::New(info.Env(), *room) : info.Env().Undefined();
  }

  Napi::Value end(const Napi::CallbackInfo& info) {
    Napi::Promise::Deferred deferred(info.Env());
    Napi::Promise promise = deferred.Promise();
    waiting_.push_back(deferred);
    if (ingest_) ingest_->end();
    else settle(info.Env());
    return promise;
  }

  void finish(Napi::Env env) {
    ingest_.reset();  // joins the thread, which has nothing more to do
    call_.Release();
    settle(env);
    Unref();
  }

  void settle(Napi::Env env) {
    Napi::HandleScope scope(env);
    for (Napi::Promise::Deferred& deferred : std::exchange(waiting_, {})) {
      if (!*outcome_) deferred.Reject(error_of(env, outcome_->failure()).Value());
      else deferred.Resolve(blob_object(env, outcome_->value(), keeps_digest_only_));
    }
  }

  std::vector<Napi::Promise::Deferred> waiting_;
  std::optional<Result<Ingested>> outcome_;  // written by the ingest's thread, read after it has been joined
  Napi::ThreadSafeFunction call_;
  std::unique_ptr<Ingest> ingest_;
  bool keeps_digest_only_ = false;
};

}  // namespace

void export_ingest(Napi::Env env, Napi::Object exports) {
  auto constructor = std::make_shared<Napi::FunctionReference>(Napi::Persistent(IngestObject::define(env)));
  constructor->SuppressDestruct();
  auto open = [constructor](const Napi::CallbackInfo& info) -> Napi::Value {
    Napi::Object object = constructor->New({info[0], info[1]});
    return info.Env().IsExceptionPending() ? info.Env().Undefined() : object;
  };
  exports.Set("openIngest", Napi::Function::New(env, open, "openIngest"));
}

}  // namespace caisson::addon
