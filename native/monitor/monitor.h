// The modes of the binary that live in native/monitor.
#pragma once

namespace caisson {

// `caisson-monitor monitor`: fds as monitor_fd (protocol.h). Returns once the monitor proper lives in a pid namespace of
// its own; there it returns when the container's run has ended and has been undone.
int monitor_main(int argc, char** argv);

// `caisson-monitor undo <stop|remove|all>`: fd 4 = state directory with the undo list, fd 7 = NetworkRoot. 0 = all done.
int undo_main(int argc, char** argv);

}  // namespace caisson
