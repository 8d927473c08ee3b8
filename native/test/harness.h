// A test harness of fifty lines: a test is a sentence and a function; a failed expectation prints its place and goes on.
#pragma once

#include <cstdio>

namespace caisson {

class Tests {
 public:
  template <class Body>
  void test(const char* name, Body body) {
    int before = failures_;
    body();
    bool passed = failures_ == before;
    (passed ? passed_ : failed_)++;
    if (!passed) printf("FAIL %s\n", name);
  }
  void expect(bool held, const char* expression, const char* file, int line) {
    if (held) return;
    failures_++;
    printf("%s:%d: %s\n", file, line, expression);
  }
  int finish() const {
    printf("%d passed, %d failed\n", passed_, failed_);
    return failed_ == 0 && passed_ > 0 ? 0 : 1;
  }

 private:
  int passed_ = 0, failed_ = 0, failures_ = 0;
};

}  // namespace caisson

#define EXPECT(tests, expression) (tests).expect(static_cast<bool>(expression), #expression, __FILE__, __LINE__)
