#include "forwarder.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <cassert>

namespace caisson {
namespace {

constexpr size_t MAX_FLIGHTS = 1024;
// A resolver library gives one server 5 s: the second upstream must have had its turn by then.
constexpr uint64_t DATAGRAM_TIMEOUT_MS = 2000, STREAM_TIMEOUT_MS = 4000;
constexpr size_t LENGTH_BYTES = 2;

}  // namespace

bool Forwarder::forward(std::span<const uint8_t> message, const DnsQuery& query, const Asker& asker) {
  if (flights_.size() >= MAX_FLIGHTS) return false;
  flights_.emplace_back(*this, message, query, asker);
  Flight& flight = flights_.back();
  flight.place_ = std::prev(flights_.end());
  flight.start_attempt();
  return true;
}

void Forwarder::expire(uint64_t now_ms) {
  for (auto flight = flights_.begin(); flight != flights_.end();) {
    Flight& expired = *flight++;
    if (expired.deadline_ms() <= now_ms) expired.next_upstream();
  }
}

Flight::Flight(Forwarder& forwarder, std::span<const uint8_t> message, const DnsQuery& query, const Asker& asker)
    : forwarder_(forwarder), message_(LENGTH_BYTES + message.size()), query_(query), asker_(asker), stream_(asker.connection != 0) {
  message_[0] = message.size() >> 8;
  message_[1] = message.size() & 0xff;
  std::copy(message.begin(), message.end(), message_.begin() + LENGTH_BYTES);
}

Flight::~Flight() { end_attempt(); }

void Flight::end_attempt() {
  if (tag_ != 0) forwarder_.broker_.forget(tag_);
  if (socket_) forwarder_.loop_.remove(socket_.get());
  tag_ = 0;
  socket_.reset();
}

void Flight::start_attempt() {
  end_attempt();
  incoming_.clear();
  sent_ = 0;
  if (upstream_ >= forwarder_.upstreams_) return fail();
  deadline_ms_ = now_ms() + (stream_ ? STREAM_TIMEOUT_MS : DATAGRAM_TIMEOUT_MS);
  tag_ = forwarder_.broker_.ask(stream_ ? BrokerKind::upstream_tcp : BrokerKind::upstream_udp, upstream_, this);
  if (tag_ == 0) fail();
}

void Flight::next_upstream() {
  upstream_++;
  stream_ = asker_.connection != 0;
  start_attempt();
}

void Flight::socket_made(Fd socket) {
  tag_ = 0;
  if (!socket) return next_upstream();
  socket_ = std::move(socket);
  if (::getrandom(&id_, sizeof id_, 0) != sizeof id_) return next_upstream();
  std::span<uint8_t> message = std::span(message_).subspan(LENGTH_BYTES);
  set_id(message, id_);
  if (!stream_ && ::send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL) < 0) return next_upstream();
  if (!forwarder_.loop_.add(socket_.get(), stream_ ? EPOLLOUT : EPOLLIN, this)) next_upstream();
}

void Flight::ready(uint32_t) {
  if (!stream_) return receive_datagram();
  if (sent_ < message_.size()) return send_stream();
  receive_stream();
}

void Flight::receive_datagram() {
  ssize_t size = ::recv(socket_.get(), forwarder_.buffer_, sizeof forwarder_.buffer_, MSG_DONTWAIT);
  if (size < 0 && errno == EAGAIN) return;
  if (size < 0) return next_upstream();  // ECONNREFUSED: nobody listens there
  take(std::span(forwarder_.buffer_).first(size));
}

void Flight::send_stream() {
  ssize_t size = ::send(socket_.get(), message_.data() + sent_, message_.size() - sent_, MSG_NOSIGNAL);
  if (size < 0 && errno == EAGAIN) return;
  if (size < 0) return next_upstream();
  sent_ += size;
  if (sent_ == message_.size()) forwarder_.loop_.change(socket_.get(), EPOLLIN, this);
}

void Flight::receive_stream() {
  ssize_t size = ::recv(socket_.get(), forwarder_.buffer_, sizeof forwarder_.buffer_, MSG_DONTWAIT);
  if (size < 0 && errno == EAGAIN) return;
  if (size <= 0) return next_upstream();
  incoming_.insert(incoming_.end(), forwarder_.buffer_, forwarder_.buffer_ + size);
  if (incoming_.size() < LENGTH_BYTES) return;
  size_t length = incoming_[0] << 8 | incoming_[1];
  if (incoming_.size() < LENGTH_BYTES + length) return;
  take(std::span(incoming_).subspan(LENGTH_BYTES, length));
}

void Flight::take(std::span<uint8_t> answer) {
  switch (check_answer(answer, std::span(message_).subspan(LENGTH_BYTES), query_, id_)) {
    case DnsAnswer::foreign:
      if (stream_) next_upstream();
      return;
    case DnsAnswer::good:
      return land(answer);
    case DnsAnswer::failed:
      fallback_.assign(answer.begin(), answer.end());
      return next_upstream();
    case DnsAnswer::truncated:
      if (stream_) return land(answer);
      fallback_.assign(answer.begin(), answer.end());
      stream_ = true;
      return start_attempt();
  }
}

void Flight::land(std::span<uint8_t> answer) {
  set_id(answer, query_.id);
  forwarder_.sink_.answer(asker_, query_, answer);
  forwarder_.flights_.erase(place_);
}

void Flight::fail() {
  if (!fallback_.empty()) return land(fallback_);
  uint8_t buffer[DNS_PLAIN_BYTES];
  std::span<const uint8_t> message = std::span(message_).subspan(LENGTH_BYTES);
  DnsReply reply(message, query_, buffer, sizeof buffer);
  land(std::span(buffer).first(reply.finish(DnsCode::failure).size()));
}

}  // namespace caisson
