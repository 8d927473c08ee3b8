// The three plan decoders on anything. What decodes must also print: every value is initialised and every enum known.
#include <string.h>

#include "../core/launch_plan.h"
#include "fuzzer.h"
#include "plan_text.h"

using namespace caisson;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::span<const uint8_t> file(data, size);
  Result<LaunchPlan> launch = decode_launch_plan(file);
  if (launch) return text_of(launch.value()).empty() ? -1 : 0;
  Result<ExecPlan> exec = decode_exec_plan(file);
  if (exec) return text_of(exec.value()).empty() ? -1 : 0;
  Result<UndoList> undo = decode_undo_list(file);
  if (undo) return text_of(undo.value()).empty() ? -1 : 0;
  return -1;
}

// For each kind of file the shortest one that decodes: zeros are empty texts, empty lists and first enum values.
std::vector<std::vector<uint8_t>> caisson::fuzz_seeds() {
  std::vector<std::vector<uint8_t>> seeds;
  for (uint32_t magic : {0x504c5343u, 0x58455343u, 0x55445343u}) {
    std::vector<uint8_t> file(8);
    memcpy(file.data(), &magic, 4);
    memcpy(file.data() + 4, &kPlanVersion, 4);
    for (; file.size() < 4096; file.push_back(0)) {
      if (LLVMFuzzerTestOneInput(file.data(), file.size()) != 0) continue;
      seeds.push_back(file);
      break;
    }
  }
  return seeds;
}
