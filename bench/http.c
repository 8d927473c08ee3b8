// http PORT: answers every request of up to 1,000 keep-alive connections with a 100-byte body. One thread, epoll: the
// cheapest server there is, so that what lies in front of it shows.
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static char answer[512];

static void serve(int fd) {
  char request[16384];
  long got = recv(fd, request, sizeof request, MSG_DONTWAIT);
  if (got <= 0) {
    close(fd);
    return;
  }
  for (char *at = request; (at = memmem(at, request + got - at, "\r\n\r\n", 4)); at += 4) send(fd, answer, strlen(answer), MSG_NOSIGNAL);
}
int main(int argc, char **argv) {
  if (argc != 2) return 2;
  int length = sprintf(answer, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
  memset(answer + length, 'x', 100);
  int server = socket(AF_INET, SOCK_STREAM, 0), one = 1, queue = epoll_create1(0);
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
  if (bind(server, (void *)&address, sizeof address) || listen(server, 1024)) return 1;
  struct epoll_event event = {.events = EPOLLIN, .data.fd = server};
  epoll_ctl(queue, EPOLL_CTL_ADD, server, &event);
  for (;;) {
    struct epoll_event ready[64];
    int count = epoll_wait(queue, ready, 64, -1);
    for (int i = 0; i < count; i++) {
      if (ready[i].data.fd != server) {
        serve(ready[i].data.fd);
        continue;
      }
      int fd = accept(server, 0, 0);
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      struct epoll_event client = {.events = EPOLLIN, .data.fd = fd};
      epoll_ctl(queue, EPOLL_CTL_ADD, fd, &client);
    }
  }
}
