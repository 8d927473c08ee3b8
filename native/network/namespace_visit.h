// Being in another network namespace for a moment: sockets belong to the namespace they were made in, and /proc/sys/net
// shows that of the caller. Holds for the calling thread only; ends with the scope.
#pragma once

#include "../core/fd.h"
#include "../core/result.h"

namespace caisson {

class NamespaceVisit {
 public:
  // Does nothing, and needs no privilege, where the thread is there already.
  static Result<NamespaceVisit> enter(int network_namespace);
  NamespaceVisit(NamespaceVisit&&) = default;
  NamespaceVisit& operator=(NamespaceVisit&&) = delete;
  // Aborts if the way back fails: nothing that follows would do what it says.
  ~NamespaceVisit();

 private:
  NamespaceVisit() = default;
  Fd back_;  // empty: nothing to go back to
};

}  // namespace caisson
