/**
 * Control protocol between a client and a monitor: SOCK_STREAM at `<run>/containers/<id>/control.sock`; the start-up
 * socket (fd 3 of the monitor) speaks the same. native/core/protocol.h is its twin; a test compares the numbers.
 *
 * frame   = u32 length of payload (at most 64 KiB), u16 type, u16 zero, payload. Little-endian; text = u32 length + UTF-8.
 * A connection starts with the monitor's `hello`. Requests are answered in order, except that `exited` comes once, as the
 * last frame to every peer, when the run has ended and nothing of it is left (undo list run, alive lock free).
 * While more than 1 MiB of output waits for an attached peer, the container's pipe is not read; a peer that takes nothing
 * for 2 s is cut off, unless it has attached with `hold`.
 *
 *   start-up socket             client ── commit, go ──►  monitor   (either may be sent ahead of the answers)
 *                               client ◄─ hello, created, running | failure ──
 *   EOF before `commit`: the monitor undoes everything, `remove` scope included, and ends.
 */
export const PROTOCOL_VERSION = 1
export const MAX_PAYLOAD_BYTES = 65_536

/** Frame types. Below 100: client to monitor. */
export const FRAME = {
  /** The container outlives this client. */
  commit: 1,
  /** Pass the barrier: execve. Answer: `running` or `failure`. On a container that runs already: `running`. */
  go: 2,
  /** Nothing to do: who stays connected hears `exited`. */
  wait: 3,
  /** u32 signal number. Answer: `ok` or `failure`. */
  signal: 4,
  /** u32 signal (0 = planned), u32 grace in ms (0xffffffff = planned). Signal, grace, SIGKILL. Answer: `exited`. */
  stop: 5,
  /**
   * u32 bits: 1 stdin; 2 output; 4 hold: the container waits for this peer, however slowly it reads; 8 once: when this peer
   * goes, the container's stdin ends (a terminal stays). Afterwards `stdin` frames go in, `stdout` and `stderr` frames come out, `exited`
   * last.
   */
  attach: 6,
  /** Bytes for the container's stdin; empty = end of file. No answer. */
  stdin: 7,
  /** u32 rows, u32 columns. No answer. */
  resize: 8,
  /** Answer: `pidfd` with the init's pidfd as SCM_RIGHTS. For native clients. */
  pidfd: 9,
  /** Freezes all processes of the container. Answer: `ok` or `failure`. */
  pause: 10,
  /** Thaws them. Answer: `ok` or `failure`. */
  unpause: 11,
  /** Answer: `networkReply` with the network namespace as SCM_RIGHTS, also between two runs of the process. For monitors. */
  network: 12,
  /** u32 version, u32 features (0), u32 state (STATE), u32 host pid of the init or 0, then the fields of `changed` after the state. */
  hello: 101,
  /** u32 host pid. The container waits at the barrier. */
  created: 102,
  /** u32 host pid. execve succeeded. */
  running: 103,
  /** u32 exit code (128 + signal where killed), u32 signal or 0, u32 1 = OOM kill. */
  exited: 104,
  /**
   * text section, u32 index, text syscall, u32 errno, text path. Answers `signal`. Otherwise the start has failed and has been
   * undone: its run, and where `commit` had not come, everything; after a `commit` the exit file says 127, 126 or 125.
   */
  failure: 105,
  ok: 106,
  stdout: 107,
  stderr: 108,
  pidfdReply: 109,
  /**
   * To every peer, whenever one of its fields has changed: u32 state (STATE), u32 health (HEALTH), u32 restarts,
   * u32 exit code of the last run of the process (0: none has ended).
   */
  changed: 110,
  networkReply: 111,
} as const

export const STATE = { building: 0, created: 1, running: 2, exited: 3, restarting: 4, paused: 5 } as const
export const HEALTH = { none: 0, starting: 1, healthy: 2, unhealthy: 3 } as const

/** fds of `caisson-monitor monitor`. */
export const MONITOR_FD = {
  startup: 3,
  stateDirectory: 4,
  runDirectory: 5,
  alive: 6,
  networkRoot: 7,
  firstListener: 8,
} as const
