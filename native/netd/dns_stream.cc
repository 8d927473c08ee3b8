#include "dns_stream.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>

namespace caisson {
namespace {

constexpr size_t MAX_CLIENTS = 256;
// From one whole message to the next; counted from the last one, so that single bytes do not prolong it.
constexpr uint64_t IDLE_MS = 10'000;
constexpr size_t LENGTH_BYTES = 2, MAX_OUTGOING_BYTES = 64 << 10;
constexpr uint32_t MAX_WAITING = 64;

}  // namespace

void DnsStreams::ready(uint32_t) {
  Fd socket(::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket) return;
  // Full: whoever has been idle longest makes room.
  if (clients_.size() >= MAX_CLIENTS) {
    clients_.erase(std::ranges::min_element(clients_, {}, &StreamClient::deadline_ms_));
  }
  clients_.emplace_back(*this, std::move(socket), ++last_number_);
  StreamClient& client = clients_.back();
  client.place_ = std::prev(clients_.end());
  if (!loop_.add(client.socket_.get(), client.events_, &client)) clients_.pop_back();
}

void DnsStreams::send(uint64_t connection, std::span<const uint8_t> message) {
  for (StreamClient& client : clients_) {
    if (client.number_ == connection) return client.send(message);
  }
}

void DnsStreams::expire(uint64_t now_ms) {
  std::erase_if(clients_, [&](const StreamClient& client) { return client.done() || client.deadline_ms_ <= now_ms; });
}

StreamClient::StreamClient(DnsStreams& streams, Fd socket, uint64_t number)
    : streams_(streams), socket_(std::move(socket)), number_(number), deadline_ms_(now_ms() + IDLE_MS), events_(EPOLLIN) {}

void StreamClient::ready(uint32_t events) {
  if (events & (EPOLLERR | EPOLLHUP)) broken_ = true;
  if (!broken_ && (events & EPOLLOUT)) flush();
  if (!broken_ && (events & EPOLLIN)) read();
  while (!broken_ && handle_next()) {
  }
  if (done()) return void(streams_.clients_.erase(place_));
  update();
}

bool StreamClient::full() const { return waiting_ >= MAX_WAITING || outgoing_.size() > MAX_OUTGOING_BYTES; }

size_t StreamClient::message_bytes() const { return incoming_[0] << 8 | incoming_[1]; }

void StreamClient::read() {
  size_t had = incoming_.size();
  incoming_.resize(LENGTH_BYTES + DNS_QUERY_BYTES);
  ssize_t size = ::recv(socket_.get(), incoming_.data() + had, incoming_.size() - had, 0);
  incoming_.resize(had + std::max<ssize_t>(size, 0));
  if (size == 0) ended_ = true;
  if (size < 0 && errno != EAGAIN) broken_ = true;
}

// One whole message, if there is one and its answer has room. A length that no query has ends the connection: what follows
// could not be told apart.
bool StreamClient::handle_next() {
  if (incoming_.size() < LENGTH_BYTES || full()) return false;
  size_t length = message_bytes();
  if (length < DNS_HEADER_BYTES || length > DNS_QUERY_BYTES) {
    broken_ = true;
    return false;
  }
  if (incoming_.size() < LENGTH_BYTES + length) return false;
  waiting_++;
  deadline_ms_ = now_ms() + IDLE_MS;
  Asker asker = {.address = {}, .connection = number_};
  if (!streams_.handler_.handle(std::span(incoming_).subspan(LENGTH_BYTES, length), asker)) broken_ = true;
  incoming_.erase(incoming_.begin(), incoming_.begin() + LENGTH_BYTES + length);
  return true;
}

// Called from within handle_next too: it never destroys the client.
void StreamClient::send(std::span<const uint8_t> message) {
  waiting_--;
  outgoing_.push_back(message.size() >> 8);
  outgoing_.push_back(message.size() & 0xff);
  outgoing_.insert(outgoing_.end(), message.begin(), message.end());
  flush();
  update();
}

void StreamClient::flush() {
  ssize_t size = ::send(socket_.get(), outgoing_.data(), outgoing_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (size < 0 && errno != EAGAIN) broken_ = true;
  if (size > 0) outgoing_.erase(outgoing_.begin(), outgoing_.begin() + size);
}

void StreamClient::update() {
  // EPOLLOUT also calls `ready` for a client that is done, or has read messages that found no room before.
  bool waits = !full() && incoming_.size() >= LENGTH_BYTES && incoming_.size() >= LENGTH_BYTES + message_bytes();
  bool reads = !full() && !ended_, writes = !outgoing_.empty() || done() || waits;
  uint32_t events = (reads ? EPOLLIN : 0u) | (writes ? EPOLLOUT : 0u);
  if (events == events_) return;
  events_ = events;
  streams_.loop_.change(socket_.get(), events, this);
}

}  // namespace caisson
