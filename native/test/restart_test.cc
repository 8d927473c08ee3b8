#include "../monitor/restart.h"

#include "harness.h"

namespace caisson {

namespace {

Restart policy_of(RestartPolicy policy, uint32_t retries = 0, uint32_t delay_ms = 0) {
  return {.policy = policy, .maximum_retries = retries, .delay_ms = delay_ms, .window_ms = 10'000, .fresh_network = false};
}

}  // namespace

void restart_tests(Tests& tests) {
  tests.test("no never restarts, whatever the exit code", [&] {
    RestartRow row(policy_of(RestartPolicy::no));
    EXPECT(tests, !row.next(0, 5));
    EXPECT(tests, !row.next(1, 20'000));
  });

  tests.test("always and unless-stopped restart after a success too", [&] {
    for (RestartPolicy policy : {RestartPolicy::always, RestartPolicy::unless_stopped}) {
      RestartRow row(policy_of(policy));
      EXPECT(tests, row.next(0, 5) == 100);
      EXPECT(tests, row.next(137, 5) == 200);
    }
  });

  tests.test("pauses double from 100 ms up to a minute", [&] {
    RestartRow row(policy_of(RestartPolicy::always));
    int64_t expected = 100;
    for (int i = 0; i < 10; i++, expected *= 2) EXPECT(tests, row.next(1, 0) == expected);
    EXPECT(tests, row.next(1, 0) == 60'000);
    EXPECT(tests, row.next(1, 9'999) == 60'000);
  });

  tests.test("a run of the window's length begins the pauses anew", [&] {
    RestartRow row(policy_of(RestartPolicy::always));
    EXPECT(tests, row.next(1, 0) == 100);
    EXPECT(tests, row.next(1, 0) == 200);
    EXPECT(tests, row.next(1, 10'000) == 100);
  });

  tests.test("on-failure restarts failures only, and as often in a row as it may", [&] {
    RestartRow row(policy_of(RestartPolicy::on_failure, 2));
    EXPECT(tests, row.next(1, 0) == 100);
    EXPECT(tests, row.next(1, 0) == 200);
    EXPECT(tests, !row.next(1, 0));
    EXPECT(tests, row.next(1, 10'000) == 100);
    EXPECT(tests, !row.next(0, 0));
  });

  tests.test("a delay of the policy stands instead of the pauses", [&] {
    RestartRow row(policy_of(RestartPolicy::always, 0, 5'000));
    EXPECT(tests, row.next(1, 0) == 5'000);
    EXPECT(tests, row.next(1, 0) == 5'000);
  });
}

}  // namespace caisson
