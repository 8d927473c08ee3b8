// The control protocol on anything, in pieces of any size: what a client may send to a monitor.
#include <algorithm>

#include "../core/protocol.h"
#include "../monitor/control.h"
#include "fuzzer.h"

using namespace caisson;

// The first byte is the size of the pieces in which the rest arrives.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return -1;
  size_t piece = data[0] + 1;
  std::span<const uint8_t> rest(data + 1, size - 1);
  FrameReader reader;
  size_t requests = 0, bytes = 0;
  while (!rest.empty()) {
    std::span<const uint8_t> part = rest.first(std::min(piece, rest.size()));
    rest = rest.subspan(part.size());
    reader.feed(part);
    Frame frame;
    FrameReader::Next next;
    while ((next = reader.next(frame)) == FrameReader::Next::frame) {
      std::optional<Request> request = decode_request(frame);
      if (!request) return -1;
      requests++;
      for (uint8_t byte : request->data) bytes += byte;
      bytes += request->first ^ request->second;
      // What a client reads of a monitor has texts.
      PayloadReader fields(frame.payload);
      bytes += fields.text().size() + fields.u32() + fields.text().size() + fields.ok();
    }
    if (next == FrameReader::Next::malformed) return -1;
  }
  return requests > 0 && bytes != SIZE_MAX ? 0 : -1;
}

std::vector<std::vector<uint8_t>> caisson::fuzz_seeds() {
  std::vector<std::vector<uint8_t>> seeds;
  for (FrameType type : {FrameType::commit, FrameType::signal, FrameType::stop, FrameType::attach, FrameType::stdin_data, FrameType::pause,
                         FrameType::unpause, FrameType::network}) {
    PayloadWriter payload;
    if (type == FrameType::signal || type == FrameType::attach) payload.u32(2);
    if (type == FrameType::stop) payload.u32(15).u32(10'000);
    if (type == FrameType::stdin_data) payload.text("hello\n");
    Bytes seed = {255};
    append_frame(seed, type, payload.bytes());
    append_frame(seed, FrameType::wait);
    seeds.push_back(seed);
    seed[0] = 0;
    seeds.push_back(seed);
  }
  return seeds;
}
