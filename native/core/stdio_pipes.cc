#include "stdio_pipes.h"

#include "sys.h"

namespace caisson {

namespace {

Result<sys::Pipe> make_pipe(const ProcessPlan& process, Fd sys::Pipe::*childs) {
  sys::Pipe pipe = TRY(sys::pipe());
  TRY(sys::fchown((pipe.*childs).get(), process.uid, process.gid));
  return pipe;
}

}  // namespace

Result<StdioPipes> make_stdio(const ProcessPlan& process, bool open_stdin) {
  StdioPipes stdio;
  if (process.tty) return stdio;
  if (open_stdin) {
    sys::Pipe in = TRY(make_pipe(process, &sys::Pipe::read));
    stdio.child.in = std::move(in.read);
    stdio.stdin_write = std::move(in.write);
  }
  sys::Pipe out = TRY(make_pipe(process, &sys::Pipe::write));
  sys::Pipe err = TRY(make_pipe(process, &sys::Pipe::write));
  stdio.child.out = std::move(out.write);
  stdio.child.err = std::move(err.write);
  stdio.stdout_read = std::move(out.read);
  stdio.stderr_read = std::move(err.read);
  return stdio;
}

}  // namespace caisson
