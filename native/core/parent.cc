#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/socket.h>

#include "cgroup.h"
#include "child.h"
#include "container.h"
#include "self.h"
#include "stdio_pipes.h"
#include "sys.h"

namespace caisson {

namespace {

// A child that ends without a word has been killed: by the memory limit, most likely.
Failure death(const sys::Ended& ended) {
  int error = ended.signal == SIGKILL ? ENOMEM : ECHILD;
  std::string how = "exit code " + std::to_string(ended.code);
  return Failure{.section = "limits", .syscall = "waitid", .error = error, .path = std::move(how)};
}

Result<void> check_plan(const LaunchPlan& plan) {
  bool usable = !plan.process.args.empty() && !plan.lower.empty() && (plan.clone_flags & CLONE_NEWNS) != 0 &&
                (plan.clone_flags & (CLONE_NEWNET | CLONE_VM | CLONE_FILES | CLONE_FS)) == 0;
  if (usable) return {};
  return Failure{.section = "plan", .syscall = "check", .error = EINVAL};
}

// Up to `created`. A failure record leaves through the result.
Result<void> await_created(Channel& channel, Container& container) {
  for (;;) {
    std::optional<StartMessage> message = TRY(channel.receive());
    if (!message) return Failure{.error = EPIPE};
    switch (message->step) {
      case StartStep::terminal:
        container.terminal = std::move(message->fd);
        continue;
      case StartStep::created:
        return {};
      case StartStep::failure:
        return std::move(message->failure);
      case StartStep::process:
      case StartStep::go:
        return Failure{.section = "namespaces", .syscall = "recvmsg", .error = EPROTO};
    }
  }
}

// Nothing of it runs afterwards. Where the socket closed without a record, it is told by how the process died.
Failure failed(const Container& container, Failure failure) {
  bool dead = failure.error == EPIPE && *failure.section == '\0';
  if (!dead) (void)sys::pidfd_send_signal(container.pidfd.get(), SIGKILL);
  Result<sys::Ended> ended = sys::wait_pidfd(container.pidfd.get());
  return dead && ended ? death(ended.value()) : failure;
}

}  // namespace

Result<Container> create_container(const LaunchPlan& plan, std::vector<Fd> sources) {
  TRY(check_plan(plan));
  TRY(make_cgroups(plan));
  CgroupEntry cgroups = TRY(in_section("cgroup", open_cgroups(plan)));
  StdioPipes stdio = TRY(in_section("terminal", make_stdio(plan.process, plan.open_stdin)));
  sys::Pair sync = TRY(in_section("namespaces", sys::socketpair(SOCK_SEQPACKET)));
  Fd init = plan.init ? TRY(in_section("exec", open_self_read_only())) : Fd();

  uint64_t flags = plan.clone_flags & ~uint64_t{CLONE_NEWCGROUP};
  sys::Clone cloned = TRY(in_section("namespaces", sys::clone3(flags, cgroups.unified.get())));
  if (cloned.pid == 0) {
    Start start{.process = plan.process, .channel = Channel(std::move(sync.second)), .stdio = std::move(stdio.child),
                .root = {}, .terminal = {}, .program = {}, .init = std::move(init), .supervised = false};
    Child child{.plan = plan, .start = std::move(start), .cgroup_joins = std::move(cgroups.joins), .sources = std::move(sources)};
    run_child(child);
  }
  sync.second.reset();
  Container container{.pidfd = std::move(cloned.pidfd), .pid = cloned.pid, .host_pid = 0, .sync = {},
                      .stdin_write = std::move(stdio.stdin_write), .stdout_read = std::move(stdio.stdout_read),
                      .stderr_read = std::move(stdio.stderr_read), .terminal = {}};
  Channel channel(std::move(sync.first));
  Result<void> created = await_created(channel, container);
  if (created) created = set_limits(container.pid, plan.process);
  if (!created) return failed(container, std::move(created).failure());
  Result<pid_t> host_pid = sys::pid_of_pidfd(container.pidfd.get());
  container.host_pid = host_pid ? host_pid.value() : container.pid;
  container.sync = channel.take();
  return container;
}

Result<void> release_container(Container& container) {
  Channel channel(std::move(container.sync), StartStep::created);
  Result<void> sent = channel.send(StartStep::go);
  if (!sent) return failed(container, std::move(sent).failure());
  Result<std::optional<StartMessage>> answer = channel.receive();
  if (!answer) return failed(container, std::move(answer).failure());
  if (!answer.value()) return {};
  return failed(container, std::move(answer.value()->failure));
}

}  // namespace caisson
