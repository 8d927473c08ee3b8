// DNS over TCP (RFC 7766): many clients, none of which can hold up another: partial messages wait, idle clients are closed,
// a client that does not read is not read from.
#pragma once

#include <list>
#include <span>
#include <vector>

#include "../core/fd.h"
#include "forwarder.h"
#include "loop.h"

namespace caisson {

class MessageHandler {
 public:
  // False: there will be no answer.
  virtual bool handle(std::span<const uint8_t> message, const Asker& asker) = 0;

 protected:
  ~MessageHandler() = default;
};

class DnsStreams;

class StreamClient : public Watcher {
 public:
  StreamClient(DnsStreams& streams, Fd socket, uint64_t number);
  void ready(uint32_t events) override;
  void send(std::span<const uint8_t> message);

 private:
  friend class DnsStreams;
  void read();
  bool handle_next();
  void flush();
  void update();
  bool full() const;               // neither reads nor handles more
  size_t message_bytes() const;    // of the message at the start of `incoming_`
  bool done() const { return broken_ || (ended_ && waiting_ == 0 && outgoing_.empty()); }

  DnsStreams& streams_;
  std::list<StreamClient>::iterator place_;
  Fd socket_;
  std::vector<uint8_t> incoming_, outgoing_;
  uint64_t number_, deadline_ms_;
  uint32_t events_;
  uint32_t waiting_ = 0;  // answers that are to come
  bool broken_ = false, ended_ = false;
};

class DnsStreams : public Watcher {
 public:
  // `listener` is borrowed.
  DnsStreams(Loop& loop, int listener, MessageHandler& handler) : loop_(loop), listener_(listener), handler_(handler) {}
  void ready(uint32_t events) override;
  // A connection that has ended meanwhile is passed over.
  void send(uint64_t connection, std::span<const uint8_t> message);
  void expire(uint64_t now_ms);
  bool busy() const { return !clients_.empty(); }

 private:
  friend class StreamClient;
  Loop& loop_;
  int listener_;
  MessageHandler& handler_;
  uint64_t last_number_ = 0;
  std::list<StreamClient> clients_;
};

}  // namespace caisson
