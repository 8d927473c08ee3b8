#include "conntrack.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#include <algorithm>
#include <vector>

#include "netlink.h"

namespace caisson {
namespace {

// Kernel 5.8 filters a dump by CTA_FILTER; its bits are not in the headers (net/netfilter/nf_conntrack_netlink.c).
constexpr uint32_t FILTER_SOURCE_ADDRESS = 1u << 0;
constexpr uint16_t CT_GET = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
constexpr uint16_t CT_DELETE = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;

using Bytes = std::vector<uint8_t>;

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

// `tuple`: CTA_TUPLE_ORIG finds what the address has started, CTA_TUPLE_REPLY what was (through DNAT or not) sent to it.
Entry read_entry(std::span<const uint8_t> attributes, uint16_t tuple, std::span<const uint8_t> address) {
  Entry entry;
  for_each_attribute(attributes, [&](uint16_t type, std::span<const uint8_t> content) {
    if (type == tuple) entry.matches = has_source(content, address);
    if (type == CTA_TUPLE_ORIG) entry.original.assign(content.begin(), content.end());
    if (type == CTA_ID) entry.id.assign(content.begin(), content.end());
    if (type == CTA_ZONE) entry.zone.assign(content.begin(), content.end());
  });
  return entry;
}

Result<std::vector<Entry>> find(int netfilter, uint16_t tuple, std::span<const uint8_t> address) {
  NetlinkMessage message;
  message.begin(CT_GET, NLM_F_DUMP, INET);
  size_t outer = message.nest(tuple);
  size_t ip = message.nest(CTA_TUPLE_IP);
  message.attribute(CTA_IP_V4_SRC, address);
  message.end(ip);
  message.end(outer);
  size_t filter = message.nest(CTA_FILTER);
  message.u32(CTA_FILTER_ORIG_FLAGS, tuple == CTA_TUPLE_ORIG ? FILTER_SOURCE_ADDRESS : 0);
  message.u32(CTA_FILTER_REPLY_FLAGS, tuple == CTA_TUPLE_REPLY ? FILTER_SOURCE_ADDRESS : 0);
  message.end(filter);
  std::vector<Entry> entries;
  TRY(netlink_dump(netfilter, message, "conntrack", [&](uint16_t, std::span<const uint8_t> body) {
    if (body.size() < sizeof(nfgenmsg)) return;
    // Matched here too: an older kernel has sent all.
    Entry entry = read_entry(body.subspan(sizeof(nfgenmsg)), tuple, address);
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

}  // namespace

Result<void> conntrack_delete(int netfilter, std::span<const uint8_t> address) {
  for (uint16_t tuple : {CTA_TUPLE_ORIG, CTA_TUPLE_REPLY}) {
    Result<std::vector<Entry>> entries = find(netfilter, tuple, address);
    // EINVAL: nfnetlink does not know the subsystem, so nothing has ever been tracked.
    if (!entries && (entries.failure().error == EINVAL || entries.failure().error == EOPNOTSUPP)) return {};
    if (!entries) return std::move(entries).failure();
    for (const Entry& entry : entries.value()) TRY(remove(netfilter, entry));
  }
  return {};
}

}  // namespace caisson
