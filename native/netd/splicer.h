// Connections to published ports that the kernel does not translate (IPv6 to IPv4): accepted here, connected by the broker,
// then spliced both ways. A direction has a pipe only while bytes are in it: a connection at rest holds two sockets and
// nothing else, and the kernel's limit on the pipes of one user (which all netd share) is not for the idle to use up.
#pragma once

#include <array>
#include <list>
#include <span>
#include <vector>

#include "broker_client.h"
#include "loop.h"

namespace caisson {

class Splicer;

class SpliceConnection : public SocketUser {
 public:
  SpliceConnection(Splicer& splicer, Fd client);
  SpliceConnection(const SpliceConnection&) = delete;
  ~SpliceConnection();
  // False: it could not be asked for.
  bool connect(uint32_t listener);
  void socket_made(Fd socket) override;

 private:
  friend class Splicer;
  struct Pipe {
    Fd read, write;
  };
  // client = side 0, container = side 1; direction i goes from side i to the other.
  struct Side : public Watcher {
    void ready(uint32_t events) override;
    SpliceConnection* connection = nullptr;
    Fd socket;
    uint32_t events = 0;  // registered; 0 = not in epoll
  };
  struct Direction {
    Pipe pipe;
    size_t bytes = 0;  // in the pipe
    bool ended = false, shut = false;
  };
  bool pump(int from);
  bool fill(Direction& direction, int source);
  bool drain(Direction& direction, int target);
  void update();
  void ready(uint32_t events);

  Splicer& splicer_;
  std::list<SpliceConnection>::iterator place_;
  std::array<Side, 2> sides_;
  std::array<Direction, 2> directions_;
  uint64_t tag_ = 0, deadline_ms_;  // of the connecting
  bool connected_ = false;
};

class Splicer {
 public:
  Splicer(Loop& loop, BrokerClient& broker) : loop_(loop), broker_(broker) {}
  // `listeners` are borrowed.
  bool start(std::span<const int> listeners);
  void expire(uint64_t now_ms);
  bool busy() const { return connecting_ > 0 || paused_; }

 private:
  friend class SpliceConnection;
  using Pipe = SpliceConnection::Pipe;
  struct Listener : public Watcher {
    void ready(uint32_t events) override;
    Splicer* splicer = nullptr;
    int socket = -1;
    uint32_t index = 0;
  };
  void accept(const Listener& listener);
  void pause(bool on);
  Pipe take_pipe();
  void give_pipe(Pipe pipe);

  Loop& loop_;
  BrokerClient& broker_;
  std::vector<Listener> listeners_;
  std::list<SpliceConnection> connections_;
  std::vector<Pipe> pipes_;  // empty ones, some
  size_t connecting_ = 0;
  bool paused_ = false;
};

}  // namespace caisson
