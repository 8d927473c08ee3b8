// IPv4 (4 bytes) or IPv6 (16 bytes) and a port, as the socket calls want them.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <string>

namespace caisson {

class SocketAddress {
 public:
  // Bytes of any other number leave AF_UNSPEC, which socket(2) refuses.
  SocketAddress(std::span<const uint8_t> bytes, uint16_t port) {
    if (bytes.size() == sizeof address_.v4.sin_addr) {
      address_.v4.sin_family = AF_INET;
      address_.v4.sin_port = htons(port);
      memcpy(&address_.v4.sin_addr, bytes.data(), bytes.size());
    } else if (bytes.size() == sizeof address_.v6.sin6_addr) {
      address_.v6.sin6_family = AF_INET6;
      address_.v6.sin6_port = htons(port);
      memcpy(&address_.v6.sin6_addr, bytes.data(), bytes.size());
    }
  }
  int family() const { return address_.any.sa_family; }
  bool is_v6() const { return family() == AF_INET6; }
  sockaddr* any() { return &address_.any; }
  socklen_t size() const { return is_v6() ? sizeof address_.v6 : sizeof address_.v4; }
  uint16_t port() const { return ntohs(is_v6() ? address_.v6.sin6_port : address_.v4.sin_port); }
  // `127.0.0.1:80`, `[::1]:80`.
  std::string text() const {
    char host[INET6_ADDRSTRLEN] = "?";
    if (is_v6()) inet_ntop(AF_INET6, &address_.v6.sin6_addr, host, sizeof host);
    else if (family() == AF_INET) inet_ntop(AF_INET, &address_.v4.sin_addr, host, sizeof host);
    return (is_v6() ? "[" + std::string(host) + "]" : host) + ":" + std::to_string(port());
  }

 private:
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  } address_ = {};
};

}  // namespace caisson
