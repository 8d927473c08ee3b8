// The function about logs: formatLog.
#include "addon.h"
#include "log_format.h"

namespace caisson::addon {

namespace {

Napi::Value buffer_of(Napi::Env env, Output output) {
  size_t size = output.size();
  if (size == 0) return Napi::Buffer<char>::New(env, 0);
  return Napi::Buffer<char>::NewOrCopy(env, output.release(), size, [](Napi::Env, char* data) { free(data); });
}

Napi::Value format(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Napi::Uint8Array input = info[0].As<Napi::Uint8Array>();
  Napi::Object options = info[1].As<Napi::Object>();
  LogFormat format{
      .prefix = options.Get("prefix").ToString(),
      .timestamps = options.Get("timestamps").ToBoolean(),
      .since = options.Get("since").ToString(),
      .until = options.Get("until").ToString(),
      .separate = options.Get("separate").ToBoolean(),
      .final = options.Get("final").ToBoolean(),
  };
  FormattedLog log = format_log({reinterpret_cast<const char*>(input.Data()), input.ByteLength()}, format);
  Napi::Object result = Napi::Object::New(env);
  result.Set("stdout", buffer_of(env, std::move(log.output[0])));
  result.Set("stderr", buffer_of(env, std::move(log.output[1])));
  result.Set("consumed", Napi::Number::New(env, static_cast<double>(log.consumed)));
  return result;
}

}  // namespace

void export_logs(Napi::Env env, Napi::Object exports) {
  exports.Set("formatLog", Napi::Function::New(env, format, "formatLog"));
}

}  // namespace caisson::addon
