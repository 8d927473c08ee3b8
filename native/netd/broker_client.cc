#include "broker_client.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cstring>

namespace caisson {
namespace {

// One reply and its descriptor. False: nothing there, or the monitor has gone (`gone`).
bool receive(int socket, BrokerReply& reply, Fd& made, bool& gone) {
  iovec part = {.iov_base = &reply, .iov_len = sizeof reply};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t size = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (size == 0) gone = true;
  if (size <= 0) return false;
  if (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr && header->cmsg_type == SCM_RIGHTS) {
    int fd = -1;
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
    made.reset(fd);
  }
  return size == sizeof reply;
}

}  // namespace

uint64_t BrokerClient::ask(BrokerKind kind, uint32_t index, SocketUser* user) {
  BrokerRequest request = {.kind = kind, .zero = {}, .index = index, .tag = ++last_tag_};
  // A full queue means that the monitor is behind: the asker gives up, it does not wait.
  if (::send(socket_, &request, sizeof request, MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof request) return 0;
  waiting_[request.tag] = user;
  return request.tag;
}

void BrokerClient::ready(uint32_t) {
  BrokerReply reply;
  Fd made;
  if (!receive(socket_, reply, made, gone_)) return;
  auto found = waiting_.find(reply.tag);
  if (found == waiting_.end()) return;
  SocketUser* user = found->second;
  waiting_.erase(found);
  user->socket_made(std::move(made));
}

}  // namespace caisson
