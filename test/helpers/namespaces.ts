/** A process that must not touch the machine gets namespaces of its own: pid, mount, network. Needs root. */

// The shell is the namespace's PID 1: it reaps what monitors leave to it, as a real init does.
const ENTER = 'ip link set lo up; "$@" & wait $!'

/** To be put before a command and its arguments. When it ends, every process in it does. */
export const inNamespaces: readonly string[] = [
  'unshare',
  '--net',
  '--mount',
  '--pid',
  '--fork',
  '--mount-proc',
  '--kill-child',
  'sh',
  '-c',
  ENTER,
  'sh',
]
