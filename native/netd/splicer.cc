#include "splicer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace caisson {
namespace {

constexpr size_t MAX_CONNECTIONS = 512, MAX_SPARE_PIPES = 8, CHUNK_BYTES = 64 << 10;
constexpr uint64_t CONNECT_TIMEOUT_MS = 10'000;
// Chunks in one turn: DNS and the other connections wait as long as this takes, about 0.1 ms.
constexpr int CHUNKS_A_TURN = 4;

bool would_block() { return errno == EAGAIN || errno == EINTR; }

}  // namespace

bool Splicer::start(std::span<const int> listeners) {
  listeners_.resize(listeners.size());  // never again: epoll points there
  for (uint32_t i = 0; i < listeners.size(); ++i) {
    listeners_[i].splicer = this;
    listeners_[i].socket = listeners[i];
    listeners_[i].index = i;
    if (!loop_.add(listeners[i], EPOLLIN, &listeners_[i])) return false;
  }
  return true;
}

void Splicer::Listener::ready(uint32_t) { splicer->accept(*this); }

void Splicer::accept(const Listener& listener) {
  Fd client(::accept4(listener.socket, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  // Out of descriptors or memory: the next turn of the clock tries again.
  if (!client) return would_block() || errno == ECONNABORTED ? void() : pause(true);
  connections_.emplace_back(*this, std::move(client));
  SpliceConnection& connection = connections_.back();
  connection.place_ = std::prev(connections_.end());
  if (!connection.connect(listener.index)) connections_.pop_back();
  if (connections_.size() >= MAX_CONNECTIONS) pause(true);
}

// While paused, clients wait in the kernel's queue.
void Splicer::pause(bool on) {
  if (paused_ == on) return;
  paused_ = on;
  for (Listener& listener : listeners_) loop_.change(listener.socket, on ? 0u : EPOLLIN, &listener);
}

void Splicer::expire(uint64_t now_ms) {
  std::erase_if(connections_, [&](const SpliceConnection& item) { return !item.connected_ && item.deadline_ms_ <= now_ms; });
  if (connections_.size() < MAX_CONNECTIONS) pause(false);
}

Splicer::Pipe Splicer::take_pipe() {
  if (!pipes_.empty()) {
    Pipe pipe = std::move(pipes_.back());
    pipes_.pop_back();
    return pipe;
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return {};
  return {Fd(ends[0]), Fd(ends[1])};
}

void Splicer::give_pipe(Pipe pipe) {
  if (pipe.read && pipes_.size() < MAX_SPARE_PIPES) pipes_.push_back(std::move(pipe));
}

SpliceConnection::SpliceConnection(Splicer& splicer, Fd client) : splicer_(splicer), deadline_ms_(now_ms() + CONNECT_TIMEOUT_MS) {
  for (Side& side : sides_) side.connection = this;
  sides_[0].socket = std::move(client);
  splicer_.connecting_++;
}

SpliceConnection::~SpliceConnection() {
  if (tag_ != 0) splicer_.broker_.forget(tag_);
  for (Side& side : sides_) {
    if (side.events != 0) splicer_.loop_.remove(side.socket.get());
  }
  if (!connected_) splicer_.connecting_--;
}

bool SpliceConnection::connect(uint32_t listener) {
  tag_ = splicer_.broker_.ask(BrokerKind::splice, listener, this);
  return tag_ != 0;
}

void SpliceConnection::socket_made(Fd socket) {
  tag_ = 0;
  sides_[1].socket = std::move(socket);
  sides_[1].events = EPOLLOUT;
  bool watched = sides_[1].socket && splicer_.loop_.add(sides_[1].socket.get(), EPOLLOUT, &sides_[1]);
  if (!watched) splicer_.connections_.erase(place_);
}

void SpliceConnection::Side::ready(uint32_t happened) { connection->ready(happened); }

void SpliceConnection::ready(uint32_t) {
  if (!connected_) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(sides_[1].socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return void(splicer_.connections_.erase(place_));
    connected_ = true;
    splicer_.connecting_--;
  }
  bool broken = !pump(0) || !pump(1);
  if (broken || (directions_[0].shut && directions_[1].shut)) return void(splicer_.connections_.erase(place_));
  update();
}

// False: the connection is broken.
bool SpliceConnection::pump(int from) {
  Direction& direction = directions_[from];
  int source = sides_[from].socket.get(), target = sides_[1 - from].socket.get();
  for (int chunk = 0; chunk < CHUNKS_A_TURN; ++chunk) {
    if (direction.bytes == 0 && !direction.ended && !fill(direction, source)) return false;
    if (direction.bytes == 0) break;
    if (!drain(direction, target)) return false;
    if (direction.bytes > 0) break;
  }
  if (direction.bytes == 0) splicer_.give_pipe(std::exchange(direction.pipe, {}));
  if (direction.bytes == 0 && direction.ended && !direction.shut) {
    direction.shut = true;
    ::shutdown(target, SHUT_WR);
  }
  return true;
}

bool SpliceConnection::fill(Direction& direction, int source) {
  if (!direction.pipe.read) direction.pipe = splicer_.take_pipe();
  if (!direction.pipe.read) return false;
  ssize_t size = ::splice(source, nullptr, direction.pipe.write.get(), nullptr, CHUNK_BYTES, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (size < 0) return would_block();
  direction.ended = size == 0;
  direction.bytes = size;
  return true;
}

bool SpliceConnection::drain(Direction& direction, int target) {
  ssize_t size = ::splice(direction.pipe.read.get(), nullptr, target, nullptr, direction.bytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (size < 0) return would_block();
  direction.bytes -= size;
  return true;
}

// What each socket is waited for: to read where the pipe behind it is empty (back-pressure), to write where it is not. One
// that is waited for neither way leaves epoll: a hang-up would be reported again and again.
void SpliceConnection::update() {
  for (int i : {0, 1}) {
    Side& side = sides_[i];
    uint32_t events = 0;
    if (!directions_[i].ended && directions_[i].bytes == 0) events |= EPOLLIN;
    if (directions_[1 - i].bytes > 0) events |= EPOLLOUT;
    if (events == side.events) continue;
    if (events == 0) splicer_.loop_.remove(side.socket.get());
    else if (side.events == 0) splicer_.loop_.add(side.socket.get(), events, &side);
    else splicer_.loop_.change(side.socket.get(), events, &side);
    side.events = events;
  }
}

}  // namespace caisson
