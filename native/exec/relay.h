// The outer half of `caisson exec`: moves bytes and signals between the caller's stdio and the process inside. The caller's
// descriptors never enter the container.
#pragma once

#include <signal.h>

#include "../core/fd.h"
#include "../core/result.h"
#include "../core/sys.h"

namespace caisson {

struct Relay {
  Fd process;                               // pidfd
  Fd stdin_write, stdout_read, stderr_read; // without a terminal
  Fd terminal;                              // pty master
  bool interactive = false;                 // stdin is forwarded
};

// Blocks the signals that are forwarded, for the time until run_relay, and ignores SIGPIPE.
Result<void> hold_signals();

// Size of the caller's terminal to ours, where both are terminals.
void copy_window_size(int terminal);

// Until the process has ended and what it wrote is delivered.
Result<sys::Ended> run_relay(Relay& relay);

}  // namespace caisson
