// What a fuzz_*.cc gives: libFuzzer's entry point, and inputs to begin with. fuzzer.cc is the loop for compilers that have
// no libFuzzer; with clang, link against -fsanitize=fuzzer instead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

// 0: worth keeping as a start for further mutations; -1: not (as libFuzzer has it).
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace caisson {

std::vector<std::vector<uint8_t>> fuzz_seeds();

}  // namespace caisson
