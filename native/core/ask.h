// One question to a monitor that is answered with a descriptor. A pid could be another process by now.
#pragma once

#include <string>

#include "fd.h"
#include "protocol.h"
#include "result.h"

namespace caisson {

// `request`: pidfd (of the init; ESRCH where there is none at the moment) or network (the network namespace).
Result<Fd> ask_monitor(const std::string& control_socket, FrameType request);

}  // namespace caisson
