// One static binary for all that lives beside or inside containers; argv[1] says which part it plays.
#include <cstdio>
#include <cstring>

#include "../copy/copy.h"
#include "../core/modes.h"
#include "../exec/exec.h"
#include "../netd/netd.h"
#include "../probe/probe_main.h"
#include "monitor.h"

namespace {

int usage() {
  fputs("caisson-monitor is run by caisson: monitor | netd | init | exec | probe | copy | undo\n", stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return usage();
  const char* mode = argv[1];
  if (strcmp(mode, "monitor") == 0) return caisson::monitor_main(argc, argv);
  if (strcmp(mode, "netd") == 0) return caisson::netd_main();
  if (strcmp(mode, "init") == 0) return caisson::init_main(argv + 2);
  if (strcmp(mode, "exec") == 0) return caisson::exec_main();
  if (strcmp(mode, "probe") == 0) return caisson::probe_main(argc, argv);
  if (strcmp(mode, "copy") == 0) return caisson::copy_main(argc, argv);
  if (strcmp(mode, "undo") == 0) return caisson::undo_main(argc, argv);
  return usage();
}
