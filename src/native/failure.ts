/** From what C++ reports (a step, a system call, an errno, perhaps a path) to an error in Node's shape, with a hint. */
import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'
import { SystemError, type SystemFailure } from '../errors.ts'

/** Linux errors that libuv, and so `util.getSystemErrorMap`, does not know, or not well. Numbers are those of x86-64 and aarch64. */
const LINUX_ERRORS: Readonly<Record<number, readonly [string, string]>> = {
  15: ['ENOTBLK', 'block device required'],
  35: ['EDEADLK', 'resource deadlock avoided'],
  37: ['ENOLCK', 'no locks available'],
  61: ['ENODATA', 'no data available'],
  62: ['ETIME', 'timer expired'],
  65: ['ENOPKG', 'package not installed'],
  74: ['EBADMSG', 'bad message'],
  77: ['EBADFD', 'file descriptor in bad state'],
  87: ['EUSERS', 'too many users'],
  95: ['ENOTSUP', 'operation not supported'],
  116: ['ESTALE', 'stale file handle'],
  117: ['EUCLEAN', 'structure needs cleaning'],
  122: ['EDQUOT', 'disk quota exceeded'],
  126: ['ENOKEY', 'required key not available'],
  127: ['EKEYEXPIRED', 'key has expired'],
}

const nameOf = (errno: number): readonly [string, string] => {
  const known = LINUX_ERRORS[errno] ?? getSystemErrorMap().get(-errno)
  if (known !== undefined) return [known[0], known[1]]
  const name = Object.entries(constants.errno).find(([, number]) => number === errno)?.[0]
  return [name ?? `E${errno}`, `system error ${errno}`]
}

/** `<step> <code>`, or `* <code>` for any step. */
const HINTS: Readonly<Record<string, string>> = {
  'plan EBADMSG': 'the file was damaged or written by another version: recreate the container',
  'plan EPROTO': 'the container was made by another version of Caisson: recreate it',
  'exec ENOENT': 'the program, or the interpreter or dynamic loader it names, is not in the image',
  'exec EACCES': 'the program is not executable for the user of the service',
  'exec ENOEXEC': 'the program is built for another architecture, or is a script without a #! line',
  'rootfs EINVAL': 'the state directory may lie on an overlay: set CAISSON_ROOT to a directory on another file system',
  'whiteout ENOTSUP':
    'CAISSON_ROOT lies on an overlay, which holds no deletions before Linux 6.8: set it to a directory on another file system',
  'mounts EROFS':
    'the target is not there and lies on a read-only file system, such as /usr of caisson/host: mount it elsewhere',
  'cgroup EROFS': 'the cgroup file system is mounted read-only here',
  'cgroup ENOSPC': 'a cpuset of the parent cgroup is empty, or there are too many cgroups',
  'cgroup EBUSY': 'the parent cgroup holds processes of its own: cgroup v2 cannot divide it',
  'namespaces ENOSPC': 'a limit of /proc/sys/user/max_*_namespaces is reached',
  'namespaces EINVAL': 'the kernel was built without one of the namespaces that are needed',
  '* EADDRINUSE': 'another process uses this address and port',
  '* EMFILE': 'too many open files: see ulimit -n',
  '* ENFILE': 'too many open files on the whole machine: see /proc/sys/fs/file-max',
  '* ENOSPC': 'the disk is full, or a kernel limit is reached',
  '* EROFS': 'the file system is mounted read-only',
  '* ENOSYS': 'the kernel is too old for this system call, or a seccomp filter forbids it',
}

const NEEDS_ROOT = 'this needs root: run it with sudo'
const DENIED = 'a security module, a seccomp filter or missing capabilities forbid it: `caisson doctor` says which'

const hintFor = (step: string, code: string): string | undefined => {
  const hint = HINTS[`${step} ${code}`]
  if (hint !== undefined) return hint
  if (code === 'EPERM' || code === 'EACCES') return process.geteuid?.() === 0 ? DENIED : NEEDS_ROOT
  return HINTS[`* ${code}`]
}

/** The error for a failed system call; `code` is the name of the errno. */
export const systemError = (failure: SystemFailure, cause?: unknown): SystemError => {
  const [code, description] = nameOf(failure.errno)
  const hint = hintFor(failure.step, code)
  const options = { ...(hint === undefined ? {} : { hint }), ...(cause === undefined ? {} : { cause }) }
  return new SystemError(failure, code, description, options)
}

const isFailure = (error: unknown): error is SystemFailure =>
  error instanceof Error && 'step' in error && 'syscall' in error && 'errno' in error && !(error instanceof SystemError)

/** A SystemError for what the addon throws; anything else as it is. */
export const fromNative = (error: unknown): unknown => (isFailure(error) ? systemError(error) : error)
