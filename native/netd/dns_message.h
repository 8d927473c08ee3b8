// DNS messages (RFC 1035, EDNS: RFC 6891): reading a query, writing our reply to it, checking the reply of an upstream.
// Nothing here follows a compression pointer: what we read of a message never needs one. Each loop moves on by at least
// one byte of the message or ends.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace caisson {

constexpr size_t DNS_HEADER_BYTES = 12;
// RFC 1035 §3.1 and §2.3.4: a name on the wire, and a UDP message without EDNS.
constexpr size_t DNS_NAME_BYTES = 255, DNS_PLAIN_BYTES = 512;
// What we take: no sensible query is larger. What we send over UDP at most, in loopback.
constexpr size_t DNS_QUERY_BYTES = 4096, DNS_UDP_BYTES = 4096, DNS_TCP_BYTES = 65535;

enum class DnsType : uint16_t { a = 1, ptr = 12, aaaa = 28, opt = 41, any = 255 };
enum class DnsClass : uint16_t { internet = 1, any = 255 };
enum class DnsCode : uint8_t { success = 0, format = 1, failure = 2, no_name = 3, not_implemented = 4, refused = 5, bad_version = 16 };

struct DnsQuery {
  uint16_t id = 0;
  DnsType type{};
  DnsClass klass{};
  bool edns = false;
  uint16_t udp_bytes = DNS_PLAIN_BYTES;  // what the asker takes over UDP, at least 512
  size_t question_end = 0;               // offset behind the question
  bool textual = false;                  // no label holds a dot, slash, NUL, space or 8-bit byte: `name` is unambiguous
  std::array<char, DNS_NAME_BYTES> text{};
  size_t text_bytes = 0;
  // Lower case, labels joined with dots, none at the end; empty = the root.
  std::string_view name() const { return {text.data(), text_bytes}; }
};

// query: to be answered. drop: not a query; silence, else two servers could talk for ever. Otherwise the code to answer with.
enum class DnsVerdict { query, drop, format, not_implemented, bad_version };
// `query.question_end` is 0 where the question could not be read.
DnsVerdict read_query(std::span<const uint8_t> message, DnsQuery& query);

// Writes a reply into `out`, with the question of `message` (which read_query has taken in).
class DnsReply {
 public:
  // `limit`: bytes at most, the asker's; `out` must hold them.
  DnsReply(std::span<const uint8_t> message, const DnsQuery& query, std::span<uint8_t> out, size_t limit);
  // IPv4 in network order.
  void add_address(uint32_t address, uint32_t ttl_seconds);
  // `name` without a final dot.
  void add_pointer(std::string_view name, uint32_t ttl_seconds);
  // What did not fit is left out, and TC says so.
  std::span<const uint8_t> finish(DnsCode code);

 private:
  bool begin_record(DnsType type, uint32_t ttl_seconds, size_t data_bytes);
  void put8(uint8_t value) { out_[size_++] = value; }
  void put16(uint16_t value);
  void put32(uint32_t value);
  std::span<uint8_t> out_;
  size_t limit_, size_ = 0;
  uint16_t answers_ = 0;
  bool edns_, truncated_ = false, question_;
};

// What an upstream's message is to the query it should answer: `foreign` (another id, question or no reply at all) must be
// passed over, as somebody may guess; `failed`: SERVFAIL, REFUSED and the like, the next upstream may know better.
enum class DnsAnswer { foreign, good, truncated, failed };
DnsAnswer check_answer(std::span<const uint8_t> answer, std::span<const uint8_t> query, const DnsQuery& read, uint16_t id);

// Shortens an upstream's answer for an asker who takes `limit` bytes: question only, TC set. Returns the new size.
size_t fit_answer(std::span<uint8_t> answer, const DnsQuery& query, size_t limit);
void set_id(std::span<uint8_t> message, uint16_t id);

// `d.c.b.a.in-addr.arpa`: the address in network order. False: it is something else.
bool read_reverse_name(std::string_view name, uint32_t& address);

}  // namespace caisson
