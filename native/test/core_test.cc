// core-test                     runs every test of native/core that needs no root
// core-test print KIND < FILE   prints a decoded launch, exec or undo file as text, for test/native/codec.test.ts
#include <stdio.h>
#include <unistd.h>

#include <string_view>

#include "../core/sys.h"
#include "harness.h"
#include "plan_text.h"

namespace caisson {

void codec_tests(Tests& tests);
void dns_tests(Tests& tests);
void health_course_tests(Tests& tests);
void health_tests(Tests& tests);
void http_status_tests(Tests& tests);
void restart_tests(Tests& tests);
void root_tests(Tests& tests);
void start_protocol_tests(Tests& tests);

namespace {

template <class Plan>
int print(const Result<Plan>& decoded) {
  Result<Plan> plan = decoded;
  if (!plan) {
    fprintf(stderr, "%s %d\n", plan.failure().path.c_str(), plan.failure().error);
    return 1;
  }
  fputs(text_of(plan.value()).c_str(), stdout);
  return 0;
}

int print_file(std::string_view kind) {
  Result<std::vector<uint8_t>> bytes = sys::read_all(STDIN_FILENO, 16 << 20);
  if (!bytes) return 1;
  if (kind == "launch") return print(decode_launch_plan(bytes.value()));
  if (kind == "exec") return print(decode_exec_plan(bytes.value()));
  if (kind == "undo") return print(decode_undo_list(bytes.value()));
  return 2;
}

}  // namespace

}  // namespace caisson

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "print") return caisson::print_file(argv[2]);
  caisson::Tests tests;
  caisson::codec_tests(tests);
  caisson::dns_tests(tests);
  caisson::health_course_tests(tests);
  caisson::health_tests(tests);
  caisson::http_status_tests(tests);
  caisson::restart_tests(tests);
  caisson::root_tests(tests);
  caisson::start_protocol_tests(tests);
  return tests.finish();
}
