#include "../core/start_protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "../core/sys.h"
#include "harness.h"

namespace caisson {

namespace {

struct Ends {
  Channel parent, child;
};

Ends make_ends() {
  sys::Pair pair = sys::socketpair(SOCK_SEQPACKET).value();
  return Ends{Channel(std::move(pair.first)), Channel(std::move(pair.second))};
}

Result<void> send_byte(Channel& channel, uint8_t step) { return sys::send_message(channel.fd(), {&step, 1}); }

}  // namespace

void start_protocol_tests(Tests& tests) {
  tests.test("the steps arrive in their order, with their descriptors", [&] {
    Ends ends = make_ends();
    Fd file = sys::open("/dev/null", O_RDWR).value();
    EXPECT(tests, ends.child.send(StartStep::terminal, file.get()));
    EXPECT(tests, ends.child.send(StartStep::created));
    Result<std::optional<StartMessage>> terminal = ends.parent.receive();
    EXPECT(tests, terminal && terminal.value() && terminal.value()->step == StartStep::terminal && terminal.value()->fd);
    Result<std::optional<StartMessage>> created = ends.parent.receive();
    EXPECT(tests, created && created.value() && created.value()->step == StartStep::created && !created.value()->fd);
    EXPECT(tests, ends.parent.send(StartStep::go));
    Result<std::optional<StartMessage>> go = ends.child.receive();
    EXPECT(tests, go && go.value() && go.value()->step == StartStep::go);
  });
  tests.test("a step that comes twice, or too late, is EPROTO", [&] {
    Ends ends = make_ends();
    EXPECT(tests, ends.child.send(StartStep::created));
    EXPECT(tests, send_byte(ends.child, static_cast<uint8_t>(StartStep::created)));
    EXPECT(tests, ends.parent.receive());
    Result<std::optional<StartMessage>> again = ends.parent.receive();
    EXPECT(tests, !again && again.failure().error == EPROTO);
  });
  tests.test("an unknown step is EPROTO", [&] {
    Ends ends = make_ends();
    EXPECT(tests, send_byte(ends.child, 99));
    Result<std::optional<StartMessage>> message = ends.parent.receive();
    EXPECT(tests, !message && message.failure().error == EPROTO);
  });
  tests.test("a terminal without its descriptor is EPROTO", [&] {
    Ends ends = make_ends();
    EXPECT(tests, send_byte(ends.child, static_cast<uint8_t>(StartStep::terminal)));
    Result<std::optional<StartMessage>> message = ends.parent.receive();
    EXPECT(tests, !message && message.failure().error == EPROTO);
  });
  tests.test("a closed socket is the end, not an error", [&] {
    Ends ends = make_ends();
    (void)ends.child.take();
    Result<std::optional<StartMessage>> message = ends.parent.receive();
    EXPECT(tests, message && !message.value());
  });
  tests.test("a failure keeps section, item, call, errno and path", [&] {
    Ends ends = make_ends();
    ends.child.send_failure(Failure{.section = "mounts", .index = 3, .syscall = "move_mount", .error = ENOENT, .path = "/data"});
    Result<std::optional<StartMessage>> message = ends.parent.receive();
    EXPECT(tests, message && message.value() && message.value()->step == StartStep::failure);
    if (!message || !message.value()) return;
    const Failure& failure = message.value()->failure;
    EXPECT(tests, std::string_view(failure.section) == "mounts" && failure.index == 3 && failure.syscall == "move_mount");
    EXPECT(tests, failure.error == ENOENT && failure.path == "/data");
  });
  tests.test("a failure with an endless path still arrives", [&] {
    Ends ends = make_ends();
    ends.child.send_failure(Failure{.section = "exec", .syscall = "execve", .error = ENOENT, .path = std::string(100'000, 'x')});
    Result<std::optional<StartMessage>> message = ends.parent.receive();
    EXPECT(tests, message && message.value() && message.value()->failure.error == ENOENT);
  });
}

}  // namespace caisson
