// Modes of the one binary: argv[1] names one of them. Each returns the exit code.
#pragma once

namespace caisson {

// PID 1 in front of the process of a container with `init: true`. argv: path and arguments of the process.
int init_main(char** argv);

}  // namespace caisson
