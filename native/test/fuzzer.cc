// fuzz-X [--seconds] N: mutates the seeds, and what the target keeps, for N seconds (default 5). Sanitizers end it. The
// generator is seeded by FUZZ_SEED (default: the clock), which is printed first, so that a finding can be had again.
#include "fuzzer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <algorithm>

namespace caisson {

namespace {

using Input = std::vector<uint8_t>;
constexpr size_t kMaxInput = 64 * 1024;
constexpr size_t kMaxPool = 512;

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 2 + 1) {}
  uint32_t below(size_t limit) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return limit == 0 ? 0 : static_cast<uint32_t>((state_ >> 11) % limit);
  }

 private:
  uint64_t state_;
};

constexpr uint32_t kTelling[] = {0, 1, 2, 7, 255, 65'535, 65'536, 65'537, 131'072, 131'073, 0x7fffffff, 0x80000000, 0xffffffff};

void put(Input& input, size_t at, uint32_t value) {
  if (at + sizeof value <= input.size()) memcpy(input.data() + at, &value, sizeof value);
}

void insert(Input& input, size_t at, size_t count, uint8_t byte) {
  input.insert(input.begin() + static_cast<ptrdiff_t>(at), count, byte);
}

// A length or count that was 0, and what it then promises.
void grow(Input& input, Random& random) {
  size_t at = random.below(input.size());
  size_t count = 1 + random.below(16);
  put(input, at, random.below(2) ? static_cast<uint32_t>(count) : 1);
  insert(input, std::min(at + 4, input.size()), count, random.below(2) ? 'a' : 0);
}

void mutate(Input& input, Random& random) {
  size_t at = random.below(input.size() + 1);
  switch (random.below(7)) {
    case 0:
      if (at < input.size()) input[at] = static_cast<uint8_t>(random.below(256));
      return;
    case 1:
      return put(input, at, kTelling[random.below(std::size(kTelling))]);
    case 2:
      return insert(input, at, 1 + random.below(64), static_cast<uint8_t>(random.below(256)));
    case 3:
      input.erase(input.begin() + static_cast<ptrdiff_t>(at), input.begin() + static_cast<ptrdiff_t>(std::min(input.size(), at + 1 + random.below(32))));
      return;
    case 4:
      return input.resize(at);
    case 5:
      if (at < input.size()) input[at] ^= static_cast<uint8_t>(1 << random.below(8));
      return;
    case 6:
      return grow(input, random);
  }
}

void run(double seconds, Random& random) {
  std::vector<Input> pool = fuzz_seeds();
  if (pool.empty()) pool.emplace_back();
  size_t seeds = pool.size(), runs = 0;
  for (const Input& seed : pool) LLVMFuzzerTestOneInput(seed.data(), seed.size());
  struct timespec begin, now;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  do {
    for (int i = 0; i < 1000; i++, runs++) {
      Input input = pool[random.below(pool.size())];
      for (uint32_t steps = 1 + random.below(4); steps > 0; steps--) mutate(input, random);
      if (input.size() > kMaxInput) continue;
      if (LLVMFuzzerTestOneInput(input.data(), input.size()) != 0) continue;
      if (pool.size() < kMaxPool) pool.push_back(std::move(input));
      else pool[seeds + random.below(kMaxPool - seeds)] = std::move(input);
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
  } while (static_cast<double>(now.tv_sec - begin.tv_sec) + static_cast<double>(now.tv_nsec - begin.tv_nsec) / 1e9 < seconds);
  printf("%zu runs, %zu inputs kept\n", runs, pool.size() - seeds);
}

}  // namespace

}  // namespace caisson

int main(int argc, char** argv) {
  double seconds = argc > 1 ? atof(argv[argc - 1]) : 5;
  const char* given = getenv("FUZZ_SEED");
  uint64_t seed = given ? strtoull(given, nullptr, 10) : static_cast<uint64_t>(time(nullptr));
  printf("FUZZ_SEED=%llu\n", static_cast<unsigned long long>(seed));
  fflush(stdout);
  caisson::Random random(seed);
  caisson::run(seconds, random);
}
