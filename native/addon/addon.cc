// Entry of caisson.node: what src/native/binding.ts declares.
#include "addon.h"

#include "../core/launch_plan.h"
#include "../core/protocol.h"

namespace caisson::addon {

Napi::Error error_of(Napi::Env env, const Failure& failure) {
  Napi::Error error = Napi::Error::New(env, failure.syscall);
  Napi::Object object = error.Value();
  object.Set("step", failure.section);
  object.Set("syscall", failure.syscall);
  object.Set("errno", failure.error);
  object.Set("index", failure.index);
  if (!failure.path.empty()) object.Set("path", failure.path);
  return error;
}

Napi::Value throw_failure(Napi::Env env, const Failure& failure) {
  error_of(env, failure).ThrowAsJavaScriptException();
  return env.Undefined();
}

namespace {

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("version", std::to_string(PROTOCOL_VERSION) + "." + std::to_string(kPlanVersion));
  export_process(env, exports);
  export_files(env, exports);
  export_logs(env, exports);
  export_network(env, exports);
  export_archive(env, exports);
  export_ingest(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(caisson, init)

}  // namespace caisson::addon
