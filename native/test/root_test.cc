#include "../core/root.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "../core/sys.h"
#include "harness.h"

namespace caisson {

namespace {

// <top>/canary is the host; <top>/root the container's.
struct World {
  std::string top;
  Root root;
};

World make_world() {
  char path[] = "/tmp/caisson-root-XXXXXX";
  World world{.top = ::mkdtemp(path), .root = {}};
  (void)sys::make_directories(world.top + "/root/etc", 0755);
  (void)sys::make_directories(world.top + "/canary", 0755);
  Result<Fd> fd = sys::open(world.top + "/root", O_PATH | O_DIRECTORY);
  if (fd) world.root = Root(std::move(fd).value());
  return world;
}

void remove(const World& world) {
  std::string command = "rm -rf '" + world.top + "'";
  if (system(command.c_str()) != 0) perror("rm");
}

void link(const World& world, const char* content, const char* name) {
  (void)sys::symlinkat(content, world.root.fd(), name);
}

bool exists(const World& world, const std::string& path) { return ::access((world.top + path).c_str(), F_OK) == 0; }

bool canary_untouched(const World& world) {
  std::string command = "test -z \"$(ls -A '" + world.top + "/canary')\"";
  return system(command.c_str()) == 0;
}

}  // namespace

void root_tests(Tests& tests) {
  World world = make_world();
  const Root& root = world.root;
  tests.test("a missing directory is made with its parents", [&] {
    EXPECT(tests, root.directory("/var/lib/data/"));
    EXPECT(tests, exists(world, "/root/var/lib/data"));
  });
  tests.test("a missing file is made, an existing one is opened", [&] {
    EXPECT(tests, root.file("/etc/hosts"));
    EXPECT(tests, exists(world, "/root/etc/hosts"));
    EXPECT(tests, root.file("/etc/hosts"));
  });
  tests.test("an absolute symlink means the root's own directory", [&] {
    link(world, "/run", "etc/run");
    EXPECT(tests, root.directory("/etc/run/deep"));
    EXPECT(tests, exists(world, "/root/run/deep"));
  });
  tests.test("a symlink that climbs stays inside", [&] {
    link(world, "../../../../canary", "climb");
    EXPECT(tests, root.directory("/climb/x"));
    EXPECT(tests, exists(world, "/root/canary/x"));
    EXPECT(tests, canary_untouched(world));
  });
  tests.test("a path that climbs stays inside", [&] {
    (void)root.directory("/../../canary/y");
    EXPECT(tests, canary_untouched(world));
  });
  tests.test("a file behind a dangling symlink is made where the link points", [&] {
    link(world, "../run/systemd/resolve/stub.conf", "etc/resolv.conf");
    EXPECT(tests, root.file("/etc/resolv.conf"));
    EXPECT(tests, exists(world, "/root/run/systemd/resolve/stub.conf"));
  });
  tests.test("a loop of symlinks ends with ELOOP", [&] {
    link(world, "loop-b", "loop-a");
    link(world, "loop-a", "loop-b");
    Result<Fd> fd = root.directory("/loop-a/x");
    EXPECT(tests, !fd && fd.failure().error == ELOOP);
  });
  tests.test("a chain of dangling links that never ends is given up", [&] {
    link(world, "grow/x", "grow");
    Result<Fd> fd = root.directory("/grow");
    EXPECT(tests, !fd);
  });
  tests.test("magic links are refused", [&] {
    Result<Fd> top = sys::open("/", O_PATH | O_DIRECTORY);
    Root host(std::move(top).value());
    Result<Fd> fd = host.open("/proc/self/cwd", O_PATH);
    EXPECT(tests, !fd && fd.failure().error == ELOOP);
  });
  tests.test("where a real directory is asked for, a symlink is refused", [&] {
    link(world, "etc", "proc");
    Result<Fd> fd = root.directory("/proc", RESOLVE_NO_SYMLINKS);
    EXPECT(tests, !fd && fd.failure().error == ELOOP);
  });
  tests.test("a file in the way of a directory is ENOTDIR", [&] {
    Result<Fd> fd = root.directory("/etc/hosts/x");
    EXPECT(tests, !fd && fd.failure().error == ENOTDIR);
  });
  tests.test("a path of a thousand missing parts does no harm", [&] {
    std::string path;
    for (int i = 0; i < 20'000; i++) path += "/a";
    Result<Fd> fd = root.directory(path);
    EXPECT(tests, !fd && fd.failure().error == ENAMETOOLONG);
  });
  remove(world);
}

}  // namespace caisson
