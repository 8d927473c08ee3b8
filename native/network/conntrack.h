// Connection tracking entries (ctnetlink).
#pragma once

#include <cstdint>
#include <span>

#include "../core/result.h"

namespace caisson {

// Deletes the entries that go to or come from the IPv4 address (4 bytes, as a container's: before or behind DNAT), in
// the namespace of the NETLINK_NETFILTER socket. A kernel without conntrack has none: fine.
Result<void> conntrack_delete(int netfilter, std::span<const uint8_t> address);

}  // namespace caisson
