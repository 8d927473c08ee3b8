#include "listen.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "sys.h"

namespace caisson {
namespace {

union Address {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

Address address_of(std::span<const uint8_t> bytes, uint16_t port) {
  Address address = {};
  if (bytes.size() == sizeof address.v4.sin_addr) {
    address.v4.sin_family = AF_INET;
    address.v4.sin_port = htons(port);
    memcpy(&address.v4.sin_addr, bytes.data(), bytes.size());
  } else if (bytes.size() == sizeof address.v6.sin6_addr) {
    address.v6.sin6_family = AF_INET6;
    address.v6.sin6_port = htons(port);
    memcpy(&address.v6.sin6_addr, bytes.data(), bytes.size());
  }
  return address;  // any other size: AF_UNSPEC, which socket(2) refuses
}

std::string text_of(std::span<const uint8_t> bytes, uint16_t port) {
  char text[INET6_ADDRSTRLEN] = "?";
  bool v6 = bytes.size() == sizeof(in6_addr);
  if (v6 || bytes.size() == sizeof(in_addr)) inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), text, sizeof text);
  std::string host = v6 ? "[" + std::string(text) + "]" : text;
  return host + ":" + std::to_string(port);
}

}  // namespace

Result<BoundSocket> listen_on(Protocol protocol, std::span<const uint8_t> bytes, uint16_t port, uint32_t mark) {
  Address address = address_of(bytes, port);
  std::string text = text_of(bytes, port);
  int type = protocol == Protocol::tcp ? SOCK_STREAM : SOCK_DGRAM;
  Fd fd = TRY(sys::check_fd(::socket(address.any.sa_family, type | SOCK_CLOEXEC, 0), "socket", text));
  int on = 1;
  socklen_t size = address.any.sa_family == AF_INET6 ? sizeof address.v6 : sizeof address.v4;
  // UDP has no TIME_WAIT, and with SO_REUSEADDR two owners could share a port.
  if (protocol == Protocol::tcp) {
    TRY(sys::check(::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "setsockopt", text));
  }
  if (mark != 0) TRY(sys::check(::setsockopt(fd.get(), SOL_SOCKET, SO_MARK, &mark, sizeof mark), "setsockopt", text));
  if (address.any.sa_family == AF_INET6) {
    TRY(sys::check(::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on), "setsockopt", text));
  }
  TRY(sys::check(::bind(fd.get(), &address.any, size), "bind", text));
  if (protocol == Protocol::tcp) TRY(sys::check(::listen(fd.get(), SOMAXCONN), "listen", text));
  TRY(sys::check(::getsockname(fd.get(), &address.any, &size), "getsockname", text));
  uint16_t bound = ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
  return BoundSocket{std::move(fd), bound};
}

}  // namespace caisson
