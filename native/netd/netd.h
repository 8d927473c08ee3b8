// netd: DNS at 127.0.0.11 and the splices of one container. Exec'd by the monitor with the descriptors of
// NETD_FD (broker.h), an empty environment and no arguments; it owns no privilege and opens no connection.
//
// System calls after start-up, for the filter in the plan (src/linux/): epoll_create1 epoll_ctl epoll_wait epoll_pwait
// accept4 recvfrom recvmsg; sendto (address NULL); sendmsg (fd = NETD_FD udp); openat2 getdents64 close read write
// splice pipe2 shutdown getsockopt getrandom clock_gettime brk mmap munmap mremap madvise rt_sigreturn exit_group
// restart_syscall futex fcntl prctl.
#pragma once

namespace caisson {

// Exit code: 0 when the monitor has gone, 1 when it could not start.
int netd_main();

}  // namespace caisson
