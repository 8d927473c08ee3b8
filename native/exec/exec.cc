// `caisson exec`: one more process in a running container, made through the pidfd of its init.
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../core/ask.h"
#include "../core/child.h"
#include "../core/codec.h"
#include "../core/protocol.h"
#include "../core/self.h"
#include "../core/stdio_pipes.h"
#include "exec.h"
#include "relay.h"

namespace caisson {

namespace {

constexpr int kPlanFd = 3, kResultFd = 4;
constexpr int kNamespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP;

// The process inside is this program until execve, for whoever shares its pid namespace to look at through /proc/PID/exe.
// So before anything else it becomes one whose file nobody can write to (CVE-2019-5736).
Result<void> leave_writable_binary() {
  struct statvfs info;
  TRY(sys::check(::statvfs("/proc/self/exe", &info), "statvfs", "/proc/self/exe"));
  if (info.f_flag & ST_RDONLY) return {};
  Fd self = TRY(open_self_read_only());
  char name[] = "caisson-monitor", mode[] = "exec";
  char* const arguments[] = {name, mode, nullptr};
  char* const environment[] = {nullptr};
  return execute_self(self, arguments, environment);
}

// Files that take the writer in: `tasks` on v1 (cheaper, see cgroup.h), cgroup.procs on v2.
Result<std::vector<Fd>> open_joins(const ExecPlan& plan) {
  std::vector<Fd> joins;
  for (size_t i = 0; i < plan.cgroups.size(); i++) {
    Result<Fd> tasks = sys::open(plan.cgroups[i] + "/tasks", O_WRONLY);
    if (!tasks) tasks = sys::open(plan.cgroups[i] + "/cgroup.procs", O_WRONLY);
    joins.push_back(TRY(at_item(i, std::move(tasks))));
  }
  return joins;
}

// -- in the child that goes in; its own child is the process, because a pid namespace takes only those born into it

[[noreturn]] void run_process(Start& start) {
  auto prepare = [&]() -> Result<void> {
    Fd self = TRY(in_section("namespaces", sys::pidfd_open(::getpid())));
    TRY(in_section("namespaces", start.channel.send(StartStep::process, self.get())));
    self.reset();
    TRY(in_section("namespaces", keep_descriptors(start, {})));
    start.root = Root(TRY(in_section("namespaces", sys::open("/", O_PATH))));
    TRY(in_section("terminal", open_terminal(start)));
    return prepare_process(start);
  };
  Result<void> prepared = prepare();
  end_with_failure(start, prepared ? pass_barrier(start) : prepared.failure());
}

Result<void> go_in(Start& start, const Fd& init, const std::vector<Fd>& joins) {
  for (size_t i = 0; i < joins.size(); i++) {
    TRY(in_section("cgroup", at_item(i, sys::write_all(joins[i].get(), "0", 1, "tasks"))));
  }
  TRY(in_section("limits", set_oom_score(start.process)));
  TRY(in_section("namespaces", sys::setns(init.get(), kNamespaces)));
  sys::Clone cloned = TRY(in_section("namespaces", sys::clone3(CLONE_PARENT)));
  if (cloned.pid == 0) run_process(start);
  return {};
}

// -- outside

struct Session {
  Relay relay;
  pid_t pid = 0;
};

Result<void> await_created(Channel& channel, const ProcessPlan& process, Session& session) {
  for (;;) {
    std::optional<StartMessage> message = TRY(channel.receive());
    if (!message) return Failure{.section = "namespaces", .syscall = "recvmsg", .error = ECHILD};
    switch (message->step) {
      case StartStep::process:
        session.relay.process = std::move(message->fd);
        session.pid = TRY(in_section("namespaces", sys::pid_of_pidfd(session.relay.process.get())));
        continue;
      case StartStep::terminal:
        session.relay.terminal = std::move(message->fd);
        continue;
      case StartStep::created:
        return set_limits(session.pid, process);
      case StartStep::failure:
        return std::move(message->failure);
      case StartStep::go:
        return Failure{.section = "namespaces", .syscall = "recvmsg", .error = EPROTO};
    }
  }
}

Result<void> release(Channel& channel) {
  TRY(in_section("exec", channel.send(StartStep::go)));
  std::optional<StartMessage> answer = TRY(in_section("exec", channel.receive()));
  if (answer) return std::move(answer->failure);
  return {};
}

Result<Session> start_process(const ExecPlan& plan) {
  Fd init = TRY(in_section("namespaces", ask_monitor(plan.control_socket, FrameType::pidfd)));
  std::vector<Fd> joins = TRY(in_section("cgroup", open_joins(plan)));
  StdioPipes stdio = TRY(in_section("terminal", make_stdio(plan.process, plan.interactive)));
  sys::Pair sync = TRY(in_section("namespaces", sys::socketpair(SOCK_SEQPACKET)));
  sys::Clone helper = TRY(in_section("namespaces", sys::clone3(0)));
  if (helper.pid == 0) {
    Start start{.process = plan.process, .channel = Channel(std::move(sync.second)), .stdio = std::move(stdio.child),
                .root = {}, .terminal = {}, .program = {}, .init = {}, .supervised = plan.supervised};
    Result<void> inside = go_in(start, init, joins);
    if (!inside) end_with_failure(start, inside.failure());
    ::_exit(0);
  }
  sync.second.reset();
  stdio.child = {};
  Session session;
  session.relay.interactive = plan.interactive;
  session.relay.stdin_write = std::move(stdio.stdin_write);
  session.relay.stdout_read = std::move(stdio.stdout_read);
  session.relay.stderr_read = std::move(stdio.stderr_read);
  Channel channel(std::move(sync.first));
  Result<void> created = await_created(channel, plan.process, session);
  TRY(sys::wait_pidfd(helper.pidfd.get()));
  TRY(std::move(created));
  copy_window_size(session.relay.terminal.get());
  TRY(release(channel));
  return session;
}

// The caller may have gone; then nobody is left to tell.
void tell(const Bytes& frame) { (void)sys::write_all(kResultFd, frame.data(), frame.size()); }

Result<sys::Ended> run_exec() {
  Fd file(kPlanFd);
  std::vector<uint8_t> bytes = TRY(in_section("plan", sys::read_all(file.get(), kMaxPlan)));
  ExecPlan plan = TRY(decode_exec_plan(bytes));
  if (plan.process.args.empty()) return Failure{.section = "plan", .syscall = "check", .error = EINVAL};
  Session session = TRY(start_process(plan));
  PayloadWriter pid;
  pid.u32(static_cast<uint32_t>(session.pid));
  Bytes running;
  append_frame(running, FrameType::running, pid.bytes());
  tell(running);
  return in_section("exec", run_relay(session.relay));
}

int exit_code(const Failure& failure) {
  if (std::string_view(failure.section) != "exec") return 125;
  return failure.error == ENOENT && failure.syscall == "execve" ? 127 : 126;
}

}  // namespace

int exec_main() {
  Result<void> prepared = hold_signals();
  if (prepared) prepared = in_section("namespaces", leave_writable_binary());
  Result<sys::Ended> ended = prepared ? run_exec() : Result<sys::Ended>(std::move(prepared).failure());
  Bytes frame;
  if (!ended) {
    append_failure(frame, ended.failure());
    tell(frame);
    return exit_code(ended.failure());
  }
  append_exited(frame, Exit{.code = static_cast<uint32_t>(ended.value().code),
                            .signal = static_cast<uint32_t>(ended.value().signal), .oom_killed = false});
  tell(frame);
  return ended.value().code;
}

}  // namespace caisson
