#include "probe_main.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <span>
#include <string>
#include <vector>

#include "../core/sys.h"
#include "../netd/confine.h"
#include "../network/socket_address.h"
#include "http_status.h"

namespace caisson {

namespace {

constexpr int FILTER_FD = 3;
constexpr size_t MAX_FILTER_BYTES = 64 << 10;
// More than this is no status line.
constexpr size_t MAX_LINE_BYTES = 4096;
constexpr int FIRST_ADDRESS = 5;

struct Target {
  bool http = false;
  uint32_t port = 0;
  std::string path;
};

int say(const std::string& text) {
  (void)!::write(STDOUT_FILENO, text.data(), text.size());
  return 1;
}

Result<Fd> connect_to(const std::string& text, uint32_t port) {
  std::array<uint8_t, 16> bytes;
  bool v4 = ::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1;
  if (!v4 && ::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return Failure{.syscall = "inet_pton", .error = EINVAL};
  SocketAddress address(std::span<const uint8_t>(bytes).first(v4 ? 4 : 16), static_cast<uint16_t>(port));
  Fd socket = TRY(sys::check_fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  TRY(sys::check(::connect(socket.get(), address.any(), address.size()), "connect", text));
  return socket;
}

// The first address on which somebody listens.
Result<Fd> connect_any(std::span<char*> addresses, uint32_t port) {
  Result<Fd> result = Failure{.syscall = "connect", .error = EADDRNOTAVAIL};
  for (size_t i = 0; i < addresses.size(); i++) {
    Result<Fd> socket = connect_to(addresses[i], port);
    if (socket || i == 0) result = std::move(socket);
    if (result) break;
  }
  return result;
}

int ask(const Fd& socket, const Target& target) {
  std::string request = "GET " + target.path + " HTTP/1.1\r\nHost: localhost:" + std::to_string(target.port);
  request += "\r\nUser-Agent: caisson\r\nAccept: */*\r\nConnection: close\r\n\r\n";
  if (!sys::write_all(socket.get(), request.data(), request.size())) return say("http: the request was not taken\n");
  std::string response;
  while (response.size() < MAX_LINE_BYTES && response.find('\n') == std::string::npos) {
    char buffer[1024];
    Result<size_t> got = sys::read(socket.get(), buffer, sizeof buffer);
    if (!got || got.value() == 0) break;
    response.append(buffer, got.value());
  }
  std::optional<int> status = http_status(response);
  if (!status) return say("http: no status line of HTTP came\n");
  (void)say("http: status " + std::to_string(*status) + "\n");
  return *status >= 200 && *status < 400 ? 0 : 1;
}

Result<void> confine() {
  Fd file(FILTER_FD);
  std::vector<uint8_t> filter = TRY(sys::read_all(file.get(), MAX_FILTER_BYTES));
  file.reset();
  pid_t parent = ::getppid();
  TRY(drop_privileges());
  TRY(die_with(parent));
  return filter_system_calls(filter);
}

}  // namespace

int probe_main(int argc, char** argv) {
  if (argc <= FIRST_ADDRESS) return 1;
  ::prctl(PR_SET_NAME, "caisson-probe");
  ::signal(SIGPIPE, SIG_IGN);
  Target target = {.http = strcmp(argv[2], "http") == 0, .port = static_cast<uint32_t>(atoi(argv[3])), .path = argv[4]};
  Result<void> confined = confine();
  if (!confined) return say("probe: " + confined.failure().syscall + ": " + strerror(confined.failure().error) + "\n");
  std::span<char*> addresses(argv + FIRST_ADDRESS, static_cast<size_t>(argc - FIRST_ADDRESS));
  Result<Fd> socket = connect_any(addresses, target.port);
  if (!socket) {
    return say("port " + std::to_string(target.port) + ": " + strerror(socket.failure().error) + "\n");
  }
  return target.http ? ask(socket.value(), target) : 0;
}

}  // namespace caisson
