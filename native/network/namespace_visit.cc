#include "namespace_visit.h"

#include <fcntl.h>
#include <sched.h>

#include <cstdlib>

#include "../core/sys.h"

namespace caisson {

Result<NamespaceVisit> NamespaceVisit::enter(int network_namespace) {
  NamespaceVisit visit;
  Fd here = TRY(sys::open("/proc/thread-self/ns/net", O_RDONLY));
  struct stat own = TRY(sys::fstat(here.get()));
  struct stat other = TRY(sys::fstat(network_namespace));
  if (own.st_ino == other.st_ino && own.st_dev == other.st_dev) return visit;
  TRY(sys::setns(network_namespace, CLONE_NEWNET));
  visit.back_ = std::move(here);
  return visit;
}

NamespaceVisit::~NamespaceVisit() {
  if (back_ && !sys::setns(back_.get(), CLONE_NEWNET)) abort();
}

}  // namespace caisson
