// The undo list of a container: what its runs leave behind on the host, in the order in which it goes. The monitor runs it
// at the end of a run, and `caisson-monitor undo` for a monitor that died. Each step may find its work already done.
#pragma once

#include <optional>

#include "../core/launch_plan.h"
#include "../core/result.h"

namespace caisson {

// The file `undo` of a state directory. None: there is nothing to undo (any more).
Result<std::optional<UndoList>> read_undo_list(int state_directory);

// Runs the steps of scope stop, or `all`, in their order, up to the first that fails. The order is a promise: somebody else
// may take an address or a port as soon as its claim goes, so claims must outlive what still uses them. The list stays, and
// the next command goes on. netfilter: socket in the NetworkRoot, or -1.
Result<void> run_undo(const UndoList& list, bool all, int netfilter);

}  // namespace caisson
