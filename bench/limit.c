// limit: what the bare kernel needs to start a container: clone3 with six namespaces, an overlay root with /proc, /sys,
// /dev and its nodes, devpts, shm and mqueue, pivot_root, a veth on a bridge with address and route, execve; then kill
// and reap. No cgroup, no seccomp, no logs, no names. Run as root; it works in a network namespace of its own.
//
//   limit DIRECTORY COUNT PARALLEL    prints: start_ms total_ms   (start: first clone to last execve; total: to last reap)
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what) {
  fprintf(stderr, "limit: %s: %s\n", what, strerror(errno));
  exit(1);
}
#define CHECK(expression) ({ long value_ = (long)(expression); if (value_ < 0) die(#expression); value_; })

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

struct request {
  struct nlmsghdr header;
  char body[1024];
};
static struct rtattr *put(struct request *r, int type, const void *data, int size) {
  struct rtattr *a = (struct rtattr *)((char *)r + NLMSG_ALIGN(r->header.nlmsg_len));
  a->rta_type = type;
  a->rta_len = RTA_LENGTH(size);
  if (size) memcpy(RTA_DATA(a), data, size);
  r->header.nlmsg_len = NLMSG_ALIGN(r->header.nlmsg_len) + RTA_ALIGN(a->rta_len);
  return a;
}
static void close_nest(struct request *r, struct rtattr *nest) {
  nest->rta_len = (char *)r + r->header.nlmsg_len - (char *)nest;
}
static void start(struct request *r, int type, int flags, const void *body, int size) {
  memset(r, 0, sizeof *r);
  r->header.nlmsg_type = type;
  r->header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
  r->header.nlmsg_len = NLMSG_LENGTH(size);
  memcpy(NLMSG_DATA(&r->header), body, size);
}
static void talk(int fd, struct request *r) {
  CHECK(send(fd, r, r->header.nlmsg_len, 0));
  struct { struct nlmsghdr h; struct nlmsgerr e; char rest[2048]; } reply;
  CHECK(recv(fd, &reply, sizeof reply, 0));
  if (reply.e.error) {
    errno = -reply.e.error;
    die("netlink");
  }
}
static int netlink(void) { return CHECK(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)); }

static void make_bridge(int fd) {
  struct request r;
  struct ifinfomsg link = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  start(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof link);
  put(&r, IFLA_IFNAME, "lim0", 5);
  struct rtattr *info = put(&r, IFLA_LINKINFO, 0, 0);
  put(&r, IFLA_INFO_KIND, "bridge", 6);
  close_nest(&r, info);
  talk(fd, &r);
}
static void make_veth(int fd, int bridge, int index, int namespace_fd) {
  char name[16];
  snprintf(name, sizeof name, "lim-%d", index);
  struct request r;
  struct ifinfomsg link = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  start(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof link);
  put(&r, IFLA_IFNAME, name, strlen(name) + 1);
  put(&r, IFLA_MASTER, &bridge, 4);
  struct rtattr *info = put(&r, IFLA_LINKINFO, 0, 0);
  put(&r, IFLA_INFO_KIND, "veth", 4);
  struct rtattr *data = put(&r, IFLA_INFO_DATA, 0, 0);
  struct ifinfomsg none = {0};
  struct rtattr *peer = put(&r, VETH_INFO_PEER, &none, sizeof none);
  put(&r, IFLA_IFNAME, "eth0", 5);
  put(&r, IFLA_NET_NS_FD, &namespace_fd, 4);
  close_nest(&r, peer);
  close_nest(&r, data);
  close_nest(&r, info);
  talk(fd, &r);
}
static void configure(int fd, int index) {
  struct request r;
  int eth = CHECK(if_nametoindex("eth0"));
  unsigned address = htonl(0xac1e0002u + index), gateway = htonl(0xac1e0001u);
  for (int i = 0; i < 2; i++) {
    struct ifinfomsg link = {.ifi_index = i ? eth : 1, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    start(&r, RTM_NEWLINK, 0, &link, sizeof link);
    talk(fd, &r);
  }
  struct ifaddrmsg a = {.ifa_family = AF_INET, .ifa_prefixlen = 16, .ifa_index = eth};
  start(&r, RTM_NEWADDR, NLM_F_CREATE, &a, sizeof a);
  put(&r, IFA_LOCAL, &address, 4);
  talk(fd, &r);
  struct rtmsg route = {.rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST, .rtm_protocol = RTPROT_BOOT};
  start(&r, RTM_NEWROUTE, NLM_F_CREATE, &route, sizeof route);
  put(&r, RTA_GATEWAY, &gateway, 4);
  talk(fd, &r);
}

static void make_device(const char *path, int minor) { CHECK(mknod(path, S_IFCHR | 0666, makedev(1, minor))); }

static void root(const char *directory, int index) {
  char options[1024];
  CHECK(mount("", "/", 0, MS_REC | MS_PRIVATE, 0));
  snprintf(options, sizeof options, "lowerdir=%s/lower,upperdir=%s/upper-%d,workdir=%s/work-%d", directory, directory, index, directory, index);
  CHECK(chdir(directory));
  CHECK(mount("overlay", "mnt", "overlay", 0, options));
  CHECK(chdir("mnt"));
  CHECK(mount("proc", "proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, 0));
  CHECK(mount("sysfs", "sys", "sysfs", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, 0));
  CHECK(mount("tmpfs", "dev", "tmpfs", MS_NOSUID, "mode=755,size=65536k"));
  CHECK(mkdir("dev/pts", 0755) | mkdir("dev/shm", 0755) | mkdir("dev/mqueue", 0755));
  CHECK(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620"));
  CHECK(mount("shm", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=65536k"));
  CHECK(mount("mqueue", "dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV, 0));
  make_device("dev/null", 3), make_device("dev/zero", 5), make_device("dev/full", 7);
  make_device("dev/random", 8), make_device("dev/urandom", 9), make_device("dev/tty", 3);
  CHECK(syscall(SYS_pivot_root, ".", "."));
  CHECK(umount2(".", MNT_DETACH));
  CHECK(chdir("/"));
}

static pid_t launch(const char *directory, int index, int route_fd, int bridge) {
  int ready[2], go[2];
  CHECK(pipe2(ready, O_CLOEXEC) | pipe2(go, O_CLOEXEC));
  char path[600];
  for (int i = 0; i < 2; i++) {
    snprintf(path, sizeof path, "%s/%s-%d", directory, i ? "work" : "upper", index);
    CHECK(mkdir(path, 0755));
  }
  struct clone_args arguments = {.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP, .exit_signal = SIGCHLD};
  pid_t pid = CHECK(syscall(SYS_clone3, &arguments, sizeof arguments));
  if (pid == 0) {
    int fd = netlink();
    close(ready[0]), close(go[1]);
    root(directory, index);
    char byte;
    CHECK(read(go[0], &byte, 1));
    configure(fd, index);
    CHECK(sethostname("limit", 5));
    execl("/limit", "/limit", "payload", (char *)0);
    die("execl");
  }
  close(ready[1]), close(go[0]);
  snprintf(path, sizeof path, "/proc/%d/ns/net", pid);
  int namespace_fd = CHECK(open(path, O_RDONLY | O_CLOEXEC));
  make_veth(route_fd, bridge, index, namespace_fd);
  close(namespace_fd);
  CHECK(write(go[1], "", 1));
  char byte;
  if (read(ready[0], &byte, 1) != 0) die("start");
  close(ready[0]), close(go[1]);
  return pid;
}

static void worker(const char *directory, int first, int count, int step, int bridge, int started, int stop) {
  pid_t pids[1024];
  int fd = netlink(), n = 0;
  for (int i = first; i < count; i += step) pids[n++] = launch(directory, i, fd, bridge);
  CHECK(write(started, "", 1));
  char byte;
  if (read(stop, &byte, 1) < 0) die("stop");
  for (int i = 0; i < n; i++) kill(pids[i], SIGKILL);
  for (int i = 0; i < n; i++) waitpid(pids[i], 0, 0);
  exit(0);
}

static void prepare(const char *directory) {
  char command[2048];
  snprintf(command, sizeof command, "mkdir -p %1$s/lower/proc %1$s/lower/sys %1$s/lower/dev %1$s/mnt && cp /proc/%2$d/exe %1$s/lower/limit", directory, getpid());
  if (system(command)) die("prepare");
}

int main(int argc, char **argv) {
  if (argc == 2) return strcmp(argv[1], "true") ? pause() : 0; // the payload of every bench, also under the rivals
  if (argc != 4) return 2;
  int count = atoi(argv[2]), parallel = atoi(argv[3]);
  if (count > 1000 || parallel > 64) return 2;
  prepare(argv[1]);
  CHECK(unshare(CLONE_NEWNET));
  make_bridge(netlink());
  int bridge = CHECK(if_nametoindex("lim0"));
  int started[2], stop[2];
  CHECK(pipe(started) | pipe(stop));
  double begin = now_ms();
  for (int i = 0; i < parallel; i++)
    if (CHECK(fork()) == 0) {
      close(stop[1]), close(started[0]);
      worker(argv[1], i, count, parallel, bridge, started[1], stop[0]);
    }
  char byte;
  close(started[1]);
  for (int i = 0; i < parallel; i++)
    if (CHECK(read(started[0], &byte, 1)) == 0) return 1; // a worker has said why
  double running = now_ms();
  close(stop[1]);
  while (wait(0) > 0) {}
  printf("%.3f %.3f\n", running - begin, now_ms() - begin);
  return 0;
}
