#include "conntrack.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>
#include <vector>

#include "netlink.h"

namespace caisson {
namespace {

// Kernel 5.8 filters a dump by CTA_FILTER; its bits are not in the headers (net/netfilter/nf_conntrack_netlink.c).
constexpr uint32_t FILTER_SOURCE_ADDRESS = 1u << 0;
constexpr uint16_t CT_GET = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
constexpr uint16_t CT_STATS = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS;
constexpr uint16_t CT_DELETE = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;

using Bytes = std::vector<uint8_t>;

// A walk over the buckets costs 2 ms whatever is in them. Up to so many entries, all of them cost less than a second walk.
constexpr uint32_t FEW_ENTRIES = 4096;

// What names an entry: deleting needs the tuple of its first packet, its zone, and its id against reuse.
struct Entry {
  Bytes original, id, zone;
  bool matches = false;
};

constexpr nfgenmsg INET = {.nfgen_family = AF_INET, .version = NFNETLINK_V0, .res_id = 0};

bool has_source(std::span<const uint8_t> tuple, std::span<const uint8_t> address) {
  bool found = false;
  for_each_attribute(tuple, [&](uint16_t type, std::span<const uint8_t> ip) {
    if (type != CTA_TUPLE_IP) return;
    for_each_attribute(ip, [&](uint16_t kind, std::span<const uint8_t> content) {
      if (kind == CTA_IP_V4_SRC) found = std::ranges::equal(content, address);
    });
  });
  return found;
}

// What the address has started, and what was (through DNAT or not) sent to it.
enum class Direction : uint16_t { either = 0, from = CTA_TUPLE_ORIG, to = CTA_TUPLE_REPLY };

bool is_asked(uint16_t type, Direction direction) {
  if (direction == Direction::either) return type == CTA_TUPLE_ORIG || type == CTA_TUPLE_REPLY;
  return type == static_cast<uint16_t>(direction);
}

Entry read_entry(std::span<const uint8_t> attributes, Direction direction, std::span<const uint8_t> address) {
  Entry entry;
  for_each_attribute(attributes, [&](uint16_t type, std::span<const uint8_t> content) {
    if (is_asked(type, direction) && has_source(content, address)) entry.matches = true;
    if (type == CTA_TUPLE_ORIG) entry.original.assign(content.begin(), content.end());
    if (type == CTA_ID) entry.id.assign(content.begin(), content.end());
    if (type == CTA_ZONE) entry.zone.assign(content.begin(), content.end());
  });
  return entry;
}

void add_filter(NetlinkMessage& message, Direction direction, std::span<const uint8_t> address) {
  size_t outer = message.nest(static_cast<uint16_t>(direction));
  size_t ip = message.nest(CTA_TUPLE_IP);
  message.attribute(CTA_IP_V4_SRC, address);
  message.end(ip);
  message.end(outer);
  size_t filter = message.nest(CTA_FILTER);
  message.u32(CTA_FILTER_ORIG_FLAGS, direction == Direction::from ? FILTER_SOURCE_ADDRESS : 0);
  message.u32(CTA_FILTER_REPLY_FLAGS, direction == Direction::to ? FILTER_SOURCE_ADDRESS : 0);
  message.end(filter);
}

Result<std::vector<Entry>> find(int netfilter, Direction direction, std::span<const uint8_t> address) {
  NetlinkMessage message;
  message.begin(CT_GET, NLM_F_DUMP, INET);
  if (direction != Direction::either) add_filter(message, direction, address);
  std::vector<Entry> entries;
  TRY(netlink_dump(netfilter, message, "conntrack", [&](uint16_t, std::span<const uint8_t> body) {
    if (body.size() < sizeof(nfgenmsg)) return;
    // Matched here too: an older kernel has sent all.
    Entry entry = read_entry(body.subspan(sizeof(nfgenmsg)), direction, address);
    if (entry.matches) entries.push_back(std::move(entry));
  }));
  return entries;
}

Result<void> remove(int netfilter, const Entry& entry) {
  NetlinkMessage message;
  message.begin(CT_DELETE, NLM_F_ACK, INET);
  message.attribute(CTA_TUPLE_ORIG | NLA_F_NESTED, entry.original);
  if (!entry.id.empty()) message.attribute(CTA_ID, entry.id);
  if (!entry.zone.empty()) message.attribute(CTA_ZONE, entry.zone);
  Result<void> result = netlink_request(netfilter, message, "conntrack");
  // Ended by itself meanwhile.
  if (!result && result.failure().error == ENOENT) return {};
  return result;
}

Result<uint32_t> count_entries(int netfilter) {
  NetlinkMessage message;
  message.begin(CT_STATS, NLM_F_ACK, INET);
  uint32_t count = 0;
  TRY(netlink_dump(netfilter, message, "conntrack", [&](uint16_t, std::span<const uint8_t> body) {
    if (body.size() < sizeof(nfgenmsg)) return;
    for_each_attribute(body.subspan(sizeof(nfgenmsg)), [&](uint16_t type, std::span<const uint8_t> content) {
      if (type != CTA_STATS_GLOBAL_ENTRIES || content.size() != sizeof(uint32_t)) return;
      memcpy(&count, content.data(), sizeof(count));
      count = ntohl(count);
    });
  }));
  return count;
}

Result<void> delete_found(int netfilter, Direction direction, std::span<const uint8_t> address) {
  std::vector<Entry> entries = TRY(find(netfilter, direction, address));
  for (const Entry& entry : entries) TRY(remove(netfilter, entry));
  return {};
}

}  // namespace

Result<void> conntrack_delete(int netfilter, std::span<const uint8_t> address) {
  Result<uint32_t> count = count_entries(netfilter);
  // EINVAL: nfnetlink does not know the subsystem, so nothing has ever been tracked.
  if (!count && (count.failure().error == EINVAL || count.failure().error == EOPNOTSUPP)) return {};
  if (!count) return std::move(count).failure();
  if (count.value() == 0) return {};
  if (count.value() <= FEW_ENTRIES) return delete_found(netfilter, Direction::either, address);
  TRY(delete_found(netfilter, Direction::from, address));
  return delete_found(netfilter, Direction::to, address);
}

}  // namespace caisson
