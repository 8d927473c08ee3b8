#include "dns_message.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cassert>
#include <cstring>

namespace caisson {
namespace {

constexpr uint8_t LABEL_BYTES = 63, POINTER = 0xc0;
constexpr uint16_t FLAG_REPLY = 0x8000, FLAG_AUTHORITATIVE = 0x0400, FLAG_TRUNCATED = 0x0200, FLAG_RECURSION_DESIRED = 0x0100,
                   FLAG_RECURSION_AVAILABLE = 0x0080, OPCODE = 0x7800, CODE = 0x000f;
constexpr size_t OPT_BYTES = 11;

uint16_t get16(std::span<const uint8_t> message, size_t at) { return message[at] << 8 | message[at + 1]; }

void set16(std::span<uint8_t> message, size_t at, uint16_t value) {
  message[at] = value >> 8;
  message[at + 1] = value & 0xff;
}

bool has(std::span<const uint8_t> message, size_t at, size_t bytes) { return at <= message.size() && bytes <= message.size() - at; }

char lower(uint8_t byte) { return byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte; }

bool is_textual(uint8_t byte) { return byte > ' ' && byte < 0x7f && byte != '.' && byte != '/'; }

// The name of a question: never compressed, as nothing that it could point to comes before it. Moves `at` behind it.
bool read_name(std::span<const uint8_t> message, size_t& at, DnsQuery& query) {
  query.textual = true;
  query.text_bytes = 0;
  for (;;) {
    if (!has(message, at, 1)) return false;
    size_t length = message[at++];
    if (length == 0) return true;
    if (length > LABEL_BYTES || !has(message, at, length)) return false;
    // On the wire a name is one byte longer at either end than as text.
    if (query.text_bytes + length + 3 > DNS_NAME_BYTES) return false;
    if (query.text_bytes > 0) query.text[query.text_bytes++] = '.';
    for (uint8_t byte : message.subspan(at, length)) {
      query.textual = query.textual && is_textual(byte);
      query.text[query.text_bytes++] = lower(byte);
    }
    at += length;
  }
}

// Any name, for its length alone: a pointer is its end.
bool skip_name(std::span<const uint8_t> message, size_t& at) {
  for (;;) {
    if (!has(message, at, 1)) return false;
    size_t length = message[at++];
    if (length == 0) return true;
    if ((length & POINTER) == POINTER) return has(message, at++, 1);
    if (length > LABEL_BYTES || !has(message, at, length)) return false;
    at += length;
  }
}

struct Records {
  bool well_formed = true;
  size_t options = 0;       // OPT records
  uint16_t udp_bytes = 0;   // of the last one
  uint8_t version = 0;
};

// Everything behind the question, in search of EDNS.
Records read_records(std::span<const uint8_t> message, size_t at) {
  Records found;
  size_t count = get16(message, 6) + get16(message, 8) + get16(message, 10);
  for (size_t i = 0; i < count; ++i) {
    size_t name = at;
    if (!skip_name(message, at) || !has(message, at, 10)) return {.well_formed = false};
    size_t data = get16(message, at + 8);
    if (!has(message, at + 10, data)) return {.well_formed = false};
    if (DnsType{get16(message, at)} == DnsType::opt) {
      if (message[name] != 0) return {.well_formed = false};
      found.options++;
      found.udp_bytes = get16(message, at + 2);
      found.version = message[at + 5];
    }
    at += 10 + data;
  }
  return found;
}

// Labels of 1 to 63 bytes: `name` comes from the file system.
bool is_writable(std::string_view name) {
  if (name.size() + 2 > DNS_NAME_BYTES) return false;
  for (;;) {
    size_t length = std::min(name.find('.'), name.size());
    if (length == 0 || length > LABEL_BYTES) return false;
    if (length == name.size()) return true;
    name.remove_prefix(length + 1);
  }
}

bool same_question(std::span<const uint8_t> a, std::span<const uint8_t> b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace

DnsVerdict read_query(std::span<const uint8_t> message, DnsQuery& query) {
  query.question_end = 0;
  if (message.size() < DNS_HEADER_BYTES) return DnsVerdict::drop;
  query.id = get16(message, 0);
  uint16_t flags = get16(message, 2);
  if (flags & FLAG_REPLY) return DnsVerdict::drop;
  if (flags & OPCODE) return DnsVerdict::not_implemented;
  size_t at = DNS_HEADER_BYTES;
  if (get16(message, 4) != 1 || !read_name(message, at, query) || !has(message, at, 4)) return DnsVerdict::format;
  query.type = DnsType{get16(message, at)};
  query.klass = DnsClass{get16(message, at + 2)};
  query.question_end = at + 4;
  Records records = read_records(message, query.question_end);
  if (!records.well_formed || records.options > 1) return DnsVerdict::format;
  query.edns = records.options == 1;
  query.udp_bytes = std::max<uint16_t>(DNS_PLAIN_BYTES, records.udp_bytes);
  return records.version == 0 ? DnsVerdict::query : DnsVerdict::bad_version;
}

DnsReply::DnsReply(std::span<const uint8_t> message, const DnsQuery& query, std::span<uint8_t> out, size_t limit)
    : out_(out), limit_(std::min(limit, out.size())), edns_(query.edns), question_(query.question_end != 0) {
  size_t kept = question_ ? query.question_end : DNS_HEADER_BYTES;
  assert(message.size() >= kept && limit_ >= DNS_PLAIN_BYTES);
  memcpy(out_.data(), message.data(), kept);
  size_ = kept;
  if (edns_) limit_ -= OPT_BYTES;
}

void DnsReply::put16(uint16_t value) {
  set16(out_, size_, value);
  size_ += 2;
}

void DnsReply::put32(uint32_t value) {
  put16(value >> 16);
  put16(value & 0xffff);
}

// A record about the name that was asked for.
bool DnsReply::begin_record(DnsType type, uint32_t ttl_seconds, size_t data_bytes) {
  truncated_ = truncated_ || size_ + 12 + data_bytes > limit_;
  if (truncated_) return false;
  put16(POINTER << 8 | DNS_HEADER_BYTES);
  put16(static_cast<uint16_t>(type));
  put16(static_cast<uint16_t>(DnsClass::internet));
  put32(ttl_seconds);
  put16(data_bytes);
  answers_++;
  return true;
}

void DnsReply::add_address(uint32_t address, uint32_t ttl_seconds) {
  if (begin_record(DnsType::a, ttl_seconds, sizeof address)) put32(ntohl(address));
}

void DnsReply::add_pointer(std::string_view name, uint32_t ttl_seconds) {
  if (!is_writable(name)) return;
  if (!begin_record(DnsType::ptr, ttl_seconds, name.size() + 2)) return;
  for (;;) {
    size_t length = std::min(name.find('.'), name.size());
    put8(length);
    for (char byte : name.substr(0, length)) put8(byte);
    if (length == name.size()) break;
    name.remove_prefix(length + 1);
  }
  put8(0);
}

std::span<const uint8_t> DnsReply::finish(DnsCode code) {
  uint16_t low = static_cast<uint16_t>(code) & CODE, high = static_cast<uint16_t>(code) >> 4;
  uint16_t flags = get16(out_, 2) & (FLAG_RECURSION_DESIRED | OPCODE);
  flags |= FLAG_REPLY | FLAG_AUTHORITATIVE | FLAG_RECURSION_AVAILABLE | low;
  if (truncated_) flags |= FLAG_TRUNCATED;
  set16(out_, 2, flags);
  set16(out_, 4, question_ ? 1 : 0);
  set16(out_, 6, answers_);
  set16(out_, 8, 0);
  set16(out_, 10, edns_ ? 1 : 0);
  if (edns_) {
    put8(0);
    put16(static_cast<uint16_t>(DnsType::opt));
    put16(DNS_UDP_BYTES);
    put32(static_cast<uint32_t>(high) << 24);
    put16(0);
  }
  return out_.first(size_);
}

DnsAnswer check_answer(std::span<const uint8_t> answer, std::span<const uint8_t> query, const DnsQuery& read, uint16_t id) {
  if (answer.size() < DNS_HEADER_BYTES || get16(answer, 0) != id) return DnsAnswer::foreign;
  uint16_t flags = get16(answer, 2);
  if (!(flags & FLAG_REPLY) || (flags & OPCODE)) return DnsAnswer::foreign;
  DnsCode code{static_cast<uint8_t>(flags & CODE)};
  bool failed = code != DnsCode::success && code != DnsCode::no_name;
  // A refusal may come without the question.
  if (get16(answer, 4) == 0 && failed) return DnsAnswer::failed;
  if (get16(answer, 4) != 1 || answer.size() < read.question_end) return DnsAnswer::foreign;
  size_t bytes = read.question_end - DNS_HEADER_BYTES;
  if (!same_question(answer.subspan(DNS_HEADER_BYTES, bytes), query.subspan(DNS_HEADER_BYTES, bytes))) return DnsAnswer::foreign;
  if (failed) return DnsAnswer::failed;
  return flags & FLAG_TRUNCATED ? DnsAnswer::truncated : DnsAnswer::good;
}

size_t fit_answer(std::span<uint8_t> answer, const DnsQuery& query, size_t limit) {
  if (answer.size() <= limit) return answer.size();
  assert(answer.size() >= query.question_end);
  set16(answer, 2, get16(answer, 2) | FLAG_TRUNCATED);
  for (size_t count : {6, 8, 10}) set16(answer, count, 0);
  return query.question_end;
}

void set_id(std::span<uint8_t> message, uint16_t id) { set16(message, 0, id); }

bool read_reverse_name(std::string_view name, uint32_t& address) {
  constexpr std::string_view SUFFIX = ".in-addr.arpa";
  if (!name.ends_with(SUFFIX)) return false;
  char text[INET_ADDRSTRLEN];
  name.remove_suffix(SUFFIX.size());
  if (name.size() >= sizeof text) return false;
  text[name.copy(text, name.size())] = '\0';
  if (inet_pton(AF_INET, text, &address) != 1) return false;
  address = __builtin_bswap32(address);
  return true;
}

}  // namespace caisson
