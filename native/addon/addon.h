// What every part of the addon uses: failures become JavaScript errors here, and work that may wait runs on a thread.
#pragma once

#include <napi.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "../core/result.h"

namespace caisson::addon {

// An Error with `step`, `syscall`, `errno` (positive), `path` and `index`: src/native/failure.ts makes a SystemError of it.
Napi::Error error_of(Napi::Env env, const Failure& failure);
// Sets it as the pending exception; returns undefined, for `return throw_failure(…)`.
Napi::Value throw_failure(Napi::Env env, const Failure& failure);

// Runs `work` on a thread of libuv, then `convert` on the main thread; the promise is settled with its value, or rejected.
template <class T>
class Task : public Napi::AsyncWorker {
 public:
  using Work = std::function<Result<T>()>;
  using Convert = std::function<Napi::Value(Napi::Env, T)>;

  static Napi::Value run(Napi::Env env, Work work, Convert convert) {
    auto* task = new Task(env, std::move(work), std::move(convert));
    Napi::Promise promise = task->deferred_.Promise();
    task->Queue();
    return promise;
  }

 protected:
  void Execute() override { result_.emplace(work_()); }
  void OnOK() override {
    Napi::HandleScope scope(Env());
    if (!*result_) return deferred_.Reject(error_of(Env(), result_->failure()).Value());
    deferred_.Resolve(convert_(Env(), std::move(*result_).value()));
  }

 private:
  Task(Napi::Env env, Work work, Convert convert)
      : Napi::AsyncWorker(env), deferred_(env), work_(std::move(work)), convert_(std::move(convert)) {}

  Napi::Promise::Deferred deferred_;
  Work work_;
  Convert convert_;
  std::optional<Result<T>> result_;
};

// Each part adds its functions to `exports`.
void export_process(Napi::Env env, Napi::Object exports);
void export_files(Napi::Env env, Napi::Object exports);
void export_logs(Napi::Env env, Napi::Object exports);
void export_network(Napi::Env env, Napi::Object exports);  // network.cc
void export_archive(Napi::Env env, Napi::Object exports);
void export_ingest(Napi::Env env, Napi::Object exports);

}  // namespace caisson::addon
