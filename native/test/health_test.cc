#include "../monitor/health.h"

#include <vector>

#include "harness.h"

namespace caisson {

namespace {

Health plan_of(uint32_t start_period_ms = 0, uint32_t start_interval_ms = 0) {
  Health plan;
  plan.probe = ProbeKind::command;
  plan.interval_ms = 30'000;
  plan.timeout_ms = 30'000;
  plan.start_period_ms = start_period_ms;
  plan.start_interval_ms = start_interval_ms;
  plan.retries = 3;
  return plan;
}

// Start times of probes that take no time and fail, until the container is unhealthy.
std::vector<int64_t> failing(HealthCheck& check) {
  std::vector<int64_t> began;
  int64_t now = 0;
  while (check.state() == HealthState::starting && began.size() < 1000) {
    now += check.delay(now);
    began.push_back(now);
    check.take(false, now);
  }
  return began;
}

}  // namespace

void health_tests(Tests& tests) {
  tests.test("without a probe there is no health", [&] {
    HealthCheck check{Health{}};
    EXPECT(tests, !check.wanted() && check.state() == HealthState::none);
  });

  tests.test("the first probe comes at once and the next ones quickly, up to five seconds apart", [&] {
    HealthCheck check(plan_of());
    std::vector<int64_t> began = failing(check);
    EXPECT(tests, (std::vector<int64_t>(began.begin(), began.begin() + 8) ==
                   std::vector<int64_t>{0, 100, 300, 700, 1500, 3100, 6300, 11'300}));
  });

  tests.test("quick probes make nothing unhealthy before its intervals have passed", [&] {
    HealthCheck check(plan_of());
    EXPECT(tests, failing(check).back() == 90'000);
    EXPECT(tests, check.state() == HealthState::unhealthy && check.failing_streak() == 3);
  });

  tests.test("the first success makes it healthy, and then the interval holds", [&] {
    HealthCheck check(plan_of());
    check.take(false, 0);
    check.take(true, 100);
    EXPECT(tests, check.state() == HealthState::healthy && check.failing_streak() == 0);
    EXPECT(tests, check.delay(100) == 30'000);
  });

  tests.test("failures within the start period do not count", [&] {
    HealthCheck check(plan_of(100'000));
    EXPECT(tests, failing(check).back() == 160'000);
  });

  tests.test("a success ends the start period", [&] {
    HealthCheck check(plan_of(100'000));
    check.take(true, 10);
    for (int64_t at : {1000, 2000, 3000}) check.take(false, at);
    EXPECT(tests, check.state() == HealthState::unhealthy);
  });

  tests.test("with a start interval the first probe waits for it", [&] {
    HealthCheck check(plan_of(60'000, 2000));
    EXPECT(tests, check.delay(0) == 2000);
    check.take(false, 2000);
    EXPECT(tests, check.delay(2000) == 2000);
  });

}

void health_course_tests(Tests& tests) {
  tests.test("retries failures in a row make a healthy one unhealthy, one success heals it", [&] {
    HealthCheck check(plan_of());
    check.take(true, 0);
    check.take(false, 1);
    check.take(false, 2);
    check.take(true, 3);
    check.take(false, 4);
    check.take(false, 5);
    EXPECT(tests, check.state() == HealthState::healthy && check.failing_streak() == 2);
    check.take(false, 6);
    EXPECT(tests, check.state() == HealthState::unhealthy);
    check.take(true, 7);
    EXPECT(tests, check.state() == HealthState::healthy && check.failing_streak() == 0);
  });

  tests.test("a restart begins with starting", [&] {
    HealthCheck check(plan_of());
    check.take(true, 0);
    check.begin();
    EXPECT(tests, check.state() == HealthState::starting && check.delay(0) == 0);
  });

  tests.test("the interval is never exceeded by the pauses of the beginning", [&] {
    Health plan = plan_of(0, 10'000);
    plan.interval_ms = 1000;
    HealthCheck check(plan);
    EXPECT(tests, failing(check) == (std::vector<int64_t>{1000, 2000, 3000}));
  });
}

}  // namespace caisson
