// DNS for one container: answers from its networks' names, sends the rest upstream if that is allowed.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "dns_stream.h"
#include "forwarder.h"
#include "names.h"

namespace caisson {

struct DnsSettings {
  int udp, tcp;  // borrowed sockets
  bool forward;  // false: nothing ever leaves, unknown names do not exist (CVE-2024-29018)
  uint32_t upstreams;
};

class DnsServer : public Watcher, public AnswerSink, public MessageHandler {
 public:
  DnsServer(Loop& loop, BrokerClient& broker, const Names& names, const DnsSettings& settings);
  // False: the sockets could not be watched.
  bool start();
  void expire(uint64_t now_ms);
  // Whether something waits for a time-out.
  bool busy() const { return forwarder_.busy() || streams_.busy(); }

  void ready(uint32_t events) override;
  void answer(const Asker& asker, const DnsQuery& query, std::span<uint8_t> message) override;
  bool handle(std::span<const uint8_t> message, const Asker& asker) override;

 private:
  std::optional<DnsCode> resolve(const DnsQuery& query, DnsReply& reply);
  void shuffle(std::vector<uint32_t>& addresses);
  void send(const Asker& asker, std::span<const uint8_t> message);

  Loop& loop_;
  const Names& names_;
  DnsSettings settings_;
  Forwarder forwarder_;
  DnsStreams streams_;
  std::vector<uint32_t> addresses_;  // of the query at hand
  uint64_t random_ = 0;              // xorshift: to spread load, not to be unguessable
  uint8_t incoming_[DNS_QUERY_BYTES + 1], outgoing_[DNS_TCP_BYTES];
};

}  // namespace caisson
