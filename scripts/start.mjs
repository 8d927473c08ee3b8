// `npm start`: checks what is needed, builds what is stale, and runs compose.example.yml in the foreground.
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { prepare, refuse, root } from './prepare.mjs'

const quote = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)

// Absolute paths: with a version manager Node is in the user's home, not in sudo's PATH.
const command = [
  process.execPath,
  join(root, 'dist', 'caisson.js'),
  '-f',
  join(root, 'compose.example.yml'),
  'up',
  ...process.argv.slice(2),
]
const isRoot = process.getuid() === 0

const withSudo = () => {
  const line = `sudo ${command.map(quote).join(' ')}`
  const sudo = spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' })
  if (sudo.error !== undefined)
    refuse(`Isolating services needs root, and there is no sudo here. Run as root:\n  ${command.map(quote).join(' ')}`)
  if (sudo.status !== 0 && !process.stdin.isTTY)
    refuse(`Isolating services needs root, and sudo would ask for a password. Run:\n  ${line}`)
  console.error(`Isolating services needs root. Running:\n  ${line}`)
  return ['sudo', ...command]
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
const [file, ...args] = isRoot ? command : withSudo()
const child = spawn(file, args, { cwd: root, stdio: 'inherit' })
let asked = false
const stop = () => {
  if (asked) return
  asked = true
  terminate(child)
}
// Ctrl-C reaches the child by itself: a terminal signals the whole process group.
process.on('SIGINT', () => {})
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, stop)
followParent(stop)
child.on('error', (error) => refuse(error.message))
// After Ctrl-C everything has stopped as asked: npm would call 130 a failure.
child.on('exit', (code, signal) => process.exit(signal === null ? (code === 130 ? 0 : code) : 1))
