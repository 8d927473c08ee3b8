#include "listen.h"

#include "../core/sys.h"
#include "socket_address.h"

namespace caisson {
Result<BoundSocket> listen_on(Protocol protocol, std::span<const uint8_t> bytes, uint16_t port, uint32_t mark) {
  SocketAddress address(bytes, port);
  std::string text = address.text();
  int type = protocol == Protocol::tcp ? SOCK_STREAM : SOCK_DGRAM;
  Fd fd = TRY(sys::check_fd(::socket(address.family(), type | SOCK_CLOEXEC, 0), "socket", text));
  int on = 1;
  // UDP has no TIME_WAIT, and with SO_REUSEADDR two owners could share a port.
  if (protocol == Protocol::tcp) {
    TRY(sys::check(::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "setsockopt", text));
  }
  if (mark != 0) TRY(sys::check(::setsockopt(fd.get(), SOL_SOCKET, SO_MARK, &mark, sizeof mark), "setsockopt", text));
  if (address.is_v6()) {
    TRY(sys::check(::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on), "setsockopt", text));
  }
  TRY(sys::check(::bind(fd.get(), address.any(), address.size()), "bind", text));
  if (protocol == Protocol::tcp) TRY(sys::check(::listen(fd.get(), SOMAXCONN), "listen", text));
  socklen_t size = address.size();
  TRY(sys::check(::getsockname(fd.get(), address.any(), &size), "getsockname", text));
  return BoundSocket{std::move(fd), address.port()};
}

}  // namespace caisson
