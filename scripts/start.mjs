// `npm start`: checks what is needed, builds what is stale, and runs compose.example.yml in the foreground.
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { prepare, refuse, root } from './prepare.mjs'

const quote = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)

// Absolute paths: with a version manager Node is in the user's home, not in sudo's PATH.
const caisson = [process.execPath, join(root, 'dist', 'caisson.js'), '-f', join(root, 'compose.example.yml')]
const asked = process.argv.slice(2)
const command = [...caisson, 'up', ...asked]
const isRoot = process.getuid() === 0

const withSudo = () => {
  const line = `sudo ${command.map(quote).join(' ')}`
  const sudo = spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' })
  if (sudo.error !== undefined)
    refuse(`Isolating services needs root, and there is no sudo here. Run as root:\n  ${command.map(quote).join(' ')}`)
  if (sudo.status !== 0 && !process.stdin.isTTY)
    refuse(`Isolating services needs root, and sudo would ask for a password. Run:\n  ${line}`)
  console.error(`Isolating services needs root. Running:\n  ${line}`)
  return ['sudo']
}

/** To sudo's own process only root may send a signal; sudo passes it on. */
const terminate = (child) => {
  try {
    child.kill('SIGTERM')
  } catch {
    spawnSync('sudo', ['-n', 'kill', '-TERM', String(child.pid)])
  }
}

const PARENT_CHECK_MS = 500

/** npm that is killed tells nobody: when it is gone, so is the reason to run. */
const followParent = (onGone) => {
  const parent = process.ppid
  setInterval(() => process.ppid !== parent && onGone(), PARENT_CHECK_MS).unref()
}

prepare()
const prefix = isRoot ? [] : withSudo()
const [file, ...args] = [...prefix, ...command]
const child = spawn(file, args, { cwd: root, stdio: 'inherit' })
let stopping = false
const stop = () => {
  if (stopping) return
  stopping = true
  terminate(child)
}
/** Containers and networks go; the volume stays for the next time. */
const takeDown = () => {
  if (asked.includes('-d') || asked.includes('--detach')) return
  const [first, ...rest] = [...prefix, ...caisson, '--progress', 'quiet', 'down']
  spawnSync(first, rest, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
}
// Ctrl-C reaches the child by itself: a terminal signals the whole process group.
process.on('SIGINT', () => {})
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, stop)
followParent(stop)
child.on('error', (error) => refuse(error.message))
// After Ctrl-C everything has stopped as asked: npm would call 130 a failure.
child.on('exit', (code, signal) => {
  takeDown()
  process.exit(signal === null ? (code === 130 ? 0 : code) : 1)
})
