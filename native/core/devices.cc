#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "child.h"
#include "sys.h"

namespace caisson {

namespace {

// Made by name in a directory that we hold, then looked at through a descriptor: whatever else shares that directory
// cannot have put something of its own there (CVE-2025-31133).
Result<void> make_device(const Root& root, const Device& device) {
  Place place = TRY(root.place(device.path));
  dev_t number = makedev(device.major, device.minor);
  Result<void> made = sys::mknodat(place.directory.get(), place.name, device.type | device.mode, number);
  if (!made && made.failure().error != EEXIST) return made;
  Fd node = TRY(open_entry(place.directory.get(), place.name, O_PATH));
  struct stat info = TRY(sys::fstat(node.get(), device.path));
  if ((info.st_mode & S_IFMT) != device.type || (device.type != S_IFIFO && info.st_rdev != number)) {
    return Failure{.syscall = "mknodat", .error = EEXIST, .path = device.path};
  }
  TRY(sys::fchown(node.get(), device.uid, device.gid));
  return sys::fchmod(node.get(), device.mode);
}

// A link that is there already with the same content is one that an earlier run left in the upper layer.
Result<void> make_symlink(const Root& root, const Symlink& link) {
  Place place = TRY(root.place(link.path));
  Result<void> made = sys::symlinkat(link.target, place.directory.get(), place.name);
  if (made || made.failure().error != EEXIST) return made;
  Result<std::string> found = sys::readlinkat(place.directory.get(), place.name);
  return found && found.value() == link.target ? Result<void>() : made;
}

}  // namespace

Result<void> make_devices(Child& child) {
  const std::vector<Device>& devices = child.plan.devices;
  for (size_t i = 0; i < devices.size(); i++) TRY(at_item(i, make_device(child.start.root, devices[i])));
  return {};
}

Result<void> make_symlinks(Child& child) {
  const std::vector<Symlink>& links = child.plan.symlinks;
  for (size_t i = 0; i < links.size(); i++) TRY(at_item(i, make_symlink(child.start.root, links[i])));
  return {};
}

}  // namespace caisson
