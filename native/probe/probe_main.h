// The mode of the binary that tcp and http probes use.
#pragma once

namespace caisson {

// `caisson-monitor probe <tcp|http> <port> <path> <address…>`: fd 3 = seccomp filter, fd 1 = what it says. It lives in the
// container's network alone, as nobody and without privileges, because it reads what the container sends.
// Exit code: 0 a connection was accepted, and http answers with a status from 200 to 399; 1 otherwise.
int probe_main(int argc, char** argv);

}  // namespace caisson
