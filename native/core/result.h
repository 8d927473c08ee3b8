// Failure and Result: the one way an error travels. No exceptions; nobody but sys.cc looks at errno.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace caisson {

// What failed. `section` and `index` are put in by whoever knows them (see in_section), the rest by the failing wrapper.
struct Failure {
  const char* section = "";  // a string literal: plan, cgroup, network, namespaces, rootfs, mounts …
  uint32_t index = 0;        // item in its section, 0-based
  std::string syscall = {};  // as in the man page: `openat2`
  int error = 0;             // positive errno
  std::string path = {};     // may be empty
};

// A T or a Failure. `if (!result) return std::move(result).failure();`, or TRY.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Failure failure) : state_(std::in_place_index<1>, std::move(failure)) {}

  explicit operator bool() const { return state_.index() == 0; }
  T& value() & { return *ok(); }
  T value() && { return std::move(*ok()); }
  Failure& failure() & { return *bad(); }
  Failure failure() && { return std::move(*bad()); }

 private:
  T* ok() {
    assert(state_.index() == 0);
    return std::get_if<0>(&state_);
  }
  Failure* bad() {
    assert(state_.index() == 1);
    return std::get_if<1>(&state_);
  }
  std::variant<T, Failure> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Failure failure) : failure_(std::move(failure)), failed_(true) {}

  explicit operator bool() const { return !failed_; }
  void value() const { assert(!failed_); }
  Failure& failure() & { return failure_; }
  Failure failure() && { return std::move(failure_); }

 private:
  Failure failure_;
  bool failed_ = false;
};

// Sets the item of a failure.
template <class T>
Result<T> at_item(size_t index, Result<T> result) {
  if (!result) result.failure().index = static_cast<uint32_t>(index);
  return result;
}

// Names the section of a failure that has none yet.
template <class T>
Result<T> in_section(const char* section, Result<T> result) {
  if (!result && *result.failure().section == '\0') result.failure().section = section;
  return result;
}

// Names section and item of a failure that has no section yet.
template <class T>
Result<T> in_section(const char* section, uint32_t index, Result<T> result) {
  if (!result && *result.failure().section == '\0') {
    result.failure().section = section;
    result.failure().index = index;
  }
  return result;
}

}  // namespace caisson

// Value of a Result, or return its failure from the enclosing function (a GNU statement expression).
#define TRY(expression)                                   \
  ({                                                      \
    auto try_result = (expression);                       \
    if (!try_result) return std::move(try_result).failure(); \
    std::move(try_result).value();                        \
  })
