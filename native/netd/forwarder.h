// Queries that none of our names answers, on their way to the upstream servers: one after the other until one knows. Each
// attempt has a socket of its own (the kernel picks a random port) and a random id; an answer must match both and the question.
#pragma once

#include <netinet/in.h>

#include <list>
#include <span>
#include <vector>

#include "broker_client.h"
#include "dns_message.h"
#include "loop.h"

namespace caisson {

// Who has asked.
struct Asker {
  sockaddr_in address;      // UDP
  uint64_t connection = 0;  // TCP: number of the connection; 0 = UDP
};

class AnswerSink {
 public:
  // `message` may be changed.
  virtual void answer(const Asker& asker, const DnsQuery& query, std::span<uint8_t> message) = 0;

 protected:
  ~AnswerSink() = default;
};

class Forwarder;

// One query in flight.
class Flight : public Watcher, public SocketUser {
 public:
  Flight(Forwarder& forwarder, std::span<const uint8_t> message, const DnsQuery& query, const Asker& asker);
  Flight(const Flight&) = delete;
  ~Flight();
  // Each of these may end, and so destroy, the flight.
  void start_attempt();
  void next_upstream();
  void socket_made(Fd socket) override;
  void ready(uint32_t events) override;
  uint64_t deadline_ms() const { return deadline_ms_; }

 private:
  friend class Forwarder;
  void end_attempt();
  void receive_datagram();
  void send_stream();
  void receive_stream();
  void take(std::span<uint8_t> answer);
  void land(std::span<uint8_t> answer);
  void fail();

  Forwarder& forwarder_;
  std::list<Flight>::iterator place_;
  std::vector<uint8_t> message_;   // behind two bytes of length, for TCP
  std::vector<uint8_t> incoming_;  // TCP
  std::vector<uint8_t> fallback_;  // the best of the bad answers
  DnsQuery query_;
  Asker asker_;
  Fd socket_;
  uint64_t tag_ = 0, deadline_ms_ = 0;
  size_t sent_ = 0;
  uint32_t upstream_ = 0;
  uint16_t id_ = 0;
  bool stream_;
};

class Forwarder {
 public:
  Forwarder(Loop& loop, BrokerClient& broker, uint32_t upstreams, AnswerSink& sink)
      : loop_(loop), broker_(broker), upstreams_(upstreams), sink_(sink) {}
  // False: too many in flight.
  bool forward(std::span<const uint8_t> message, const DnsQuery& query, const Asker& asker);
  void expire(uint64_t now_ms);
  bool busy() const { return !flights_.empty(); }

 private:
  friend class Flight;
  Loop& loop_;
  BrokerClient& broker_;
  uint32_t upstreams_;
  AnswerSink& sink_;
  std::list<Flight> flights_;
  uint8_t buffer_[DNS_TCP_BYTES];  // of whatever is being read; pages that no answer has needed are not there
};

}  // namespace caisson
