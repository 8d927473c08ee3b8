// A host-port listener of the NetworkRoot.
#pragma once

#include <cstdint>
#include <span>

#include "../core/fd.h"
#include "../core/launch_plan.h"
#include "../core/result.h"

namespace caisson {

struct BoundSocket {
  Fd fd;
  uint16_t port;  // the kernel's choice where 0 was asked for
};
// In the caller's namespace: SO_REUSEADDR, SO_MARK, IPv6 only where `address` has 16 bytes; bound, TCP also listening. A
// failure's path is `address:port`; EADDRINUSE comes from bind or listen.
Result<BoundSocket> listen_on(Protocol protocol, std::span<const uint8_t> address, uint16_t port, uint32_t mark);

}  // namespace caisson
