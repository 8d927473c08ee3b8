// Preloaded into the command line by the kill scenarios: counts every change that the process makes to the world (files,
// addon calls) and ends it with SIGKILL just before number CAISSON_TEST_CRASH_AT. Without that: prints the count at exit.
'use strict'
const fs = require('node:fs')
const at = Number(process.env.CAISSON_TEST_CRASH_AT ?? 0)
let count = 0
const step = () => {
  count += 1
  if (count === at) process.kill(process.pid, 'SIGKILL')
}
const wrap = (object, name) => {
  const original = object[name]
  if (typeof original !== 'function') return
  object[name] = function (...args) {
    step()
    return original.apply(this, args)
  }
}
const changes = [
  'writeFile',
  'mkdir',
  'rename',
  'symlink',
  'unlink',
  'rm',
  'rmdir',
  'copyFile',
  'appendFile',
  'link',
  'chmod',
  'chown',
]
for (const name of changes) {
  wrap(fs, `${name}Sync`)
  wrap(fs.promises, name)
}
const addon = [
  'spawn',
  'lock',
  'lockWait',
  'netlinkTalk',
  'bridgeEnsure',
  'linkDelete',
  'networkSysctl',
  'listen',
  'socketPair',
  'openIngest',
]
const dlopen = process.dlopen
process.dlopen = (module, ...rest) => {
  dlopen.call(process, module, ...rest)
  const exported = {}
  for (const key of Object.keys(module.exports)) exported[key] = module.exports[key]
  for (const name of addon) wrap(exported, name)
  module.exports = exported
}
if (process.env.CAISSON_TEST_CRASH_COUNT) {
  const { writeFileSync } = fs
  process.on('exit', () => writeFileSync(process.env.CAISSON_TEST_CRASH_COUNT, String(count)))
}
