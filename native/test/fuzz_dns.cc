// The DNS decoder on anything: as a query of a container, and as the answer of an upstream. Whatever is read must be answered
// with a message that fits and that an upstream check would take for an answer to it.
#include <stdlib.h>

#include <vector>

#include "../netd/dns_message.h"
#include "fuzzer.h"

using namespace caisson;

namespace {

using Bytes = std::vector<uint8_t>;

void require(bool held) {
  if (!held) abort();
}

// First two bytes: how much the asker takes.
void answer_query(std::span<const uint8_t> message, const DnsQuery& query, DnsCode code) {
  Bytes out(DNS_TCP_BYTES);
  size_t limit = query.udp_bytes;
  DnsReply reply(message, query, out, limit);
  for (uint32_t i = 0; i < 300; ++i) reply.add_address(i, 1);
  reply.add_pointer(query.name(), 1);
  std::span<const uint8_t> written = reply.finish(code);
  require(written.size() <= limit && written.size() >= DNS_HEADER_BYTES);
  if (query.question_end == 0) return;
  DnsAnswer checked = check_answer(written, message, query, query.id);
  bool expected_to_fail = code != DnsCode::success && code != DnsCode::bad_version;
  require(checked == (expected_to_fail ? DnsAnswer::failed : checked));
  require(checked != DnsAnswer::foreign);
}

void take_as_answer(Bytes answer, std::span<const uint8_t> asked, const DnsQuery& query) {
  uint16_t id = answer.size() < 2 ? 0 : answer[0] << 8 | answer[1];
  DnsAnswer checked = check_answer(answer, asked, query, id);
  if (checked == DnsAnswer::foreign) return;
  set_id(answer, query.id);
  size_t size = fit_answer(answer, query, DNS_PLAIN_BYTES);
  require(size <= answer.size() && size <= DNS_PLAIN_BYTES);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Bytes message(data, data + size);
  DnsQuery query;
  DnsVerdict verdict = read_query(message, query);
  require(query.text_bytes <= query.text.size() && query.question_end <= size);
  uint32_t address = 0;
  (void)read_reverse_name(query.name(), address);
  if (verdict == DnsVerdict::drop) return -1;
  bool readable = verdict == DnsVerdict::query;
  answer_query(message, query, readable ? DnsCode::success : DnsCode::format);
  if (query.question_end == 0) return -1;
  // The same bytes, said to be a reply, and cut off anywhere.
  Bytes answer = message;
  answer[2] |= 0x80;
  take_as_answer(answer, message, query);
  answer.resize(size / 2);
  take_as_answer(answer, message, query);
  answer = message;
  answer[2] |= 0x80;
  answer.resize(size + 600);
  take_as_answer(answer, message, query);
  return readable ? 0 : -1;
}

std::vector<std::vector<uint8_t>> caisson::fuzz_seeds() {
  Bytes header = {0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  Bytes plain = header, edns = header, reverse = header;
  Bytes question = {3, 'w', 'e', 'b', 5, 'f', 'r', 'o', 'n', 't', 0, 0, 1, 0, 1};
  plain.insert(plain.end(), question.begin(), question.end());
  edns = plain;
  edns[11] = 1;
  Bytes option = {0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 4, 0, 12, 0, 0};
  edns.insert(edns.end(), option.begin(), option.end());
  Bytes name = {1, '9', 1, '1', 1, '0', 2, '1', '0', 7, 'i', 'n', '-', 'a', 'd', 'd', 'r', 4, 'a', 'r', 'p', 'a', 0, 0, 12, 0, 1};
  reverse.insert(reverse.end(), name.begin(), name.end());
  Bytes loop = header;
  for (uint8_t byte : {0xc0, 0x0c, 0x00, 0x01, 0x00, 0x01}) loop.push_back(byte);
  return {plain, edns, reverse, loop, header};
}
