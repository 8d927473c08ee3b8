// netd's side of the broker: it asks, and gets connected sockets some time later.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "../core/fd.h"
#include "broker.h"
#include "loop.h"

namespace caisson {

class SocketUser {
 public:
  // An empty Fd: it could not be made.
  virtual void socket_made(Fd socket) = 0;

 protected:
  ~SocketUser() = default;
};

class BrokerClient : public Watcher {
 public:
  explicit BrokerClient(int socket) : socket_(socket) {}
  // Tag of the request; 0: it did not get out. The user hears of it exactly once, unless it has been forgotten before.
  uint64_t ask(BrokerKind kind, uint32_t index, SocketUser* user);
  void forget(uint64_t tag) { waiting_.erase(tag); }
  void ready(uint32_t events) override;
  // The monitor has closed its end.
  bool gone() const { return gone_; }

 private:
  int socket_;
  bool gone_ = false;
  uint64_t last_tag_ = 0;
  std::unordered_map<uint64_t, SocketUser*> waiting_;
};

}  // namespace caisson
