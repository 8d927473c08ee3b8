/** The commands by name. Only the one that is called is loaded. */
import type { Command } from './command.ts'

// biome-ignore lint/suspicious/noExplicitAny: each command has a table of its own
export type AnyCommand = Command<any>

interface Entry {
  readonly group: 'Run' | 'Look' | 'Host'
  readonly summary: string
  readonly load: () => Promise<AnyCommand>
}

export const COMMANDS: Readonly<Record<string, Entry>> = {
  up: { group: 'Run', summary: 'Create and start services', load: async () => (await import('./commands/up.ts')).up },
  down: {
    group: 'Run',
    summary: 'Stop and remove containers and networks',
    load: async () => (await import('./commands/down.ts')).down,
  },
  create: {
    group: 'Run',
    summary: 'Create services without starting them',
    load: async () => (await import('./commands/up.ts')).create,
  },
  start: {
    group: 'Run',
    summary: 'Start stopped services',
    load: async () => (await import('./commands/start.ts')).start,
  },
  stop: { group: 'Run', summary: 'Stop services', load: async () => (await import('./commands/stop.ts')).stop },
  restart: {
    group: 'Run',
    summary: 'Stop services and start them again',
    load: async () => (await import('./commands/restart.ts')).restart,
  },
  kill: {
    group: 'Run',
    summary: 'Send a signal to services (default SIGKILL)',
    load: async () => (await import('./commands/kill.ts')).kill,
  },
  pause: { group: 'Run', summary: 'Freeze services', load: async () => (await import('./commands/pause.ts')).pause },
  unpause: {
    group: 'Run',
    summary: 'Let frozen services go on',
    load: async () => (await import('./commands/pause.ts')).unpause,
  },
  scale: {
    group: 'Run',
    summary: 'Set the number of containers of services',
    load: async () => (await import('./commands/scale.ts')).scale,
  },
  wait: {
    group: 'Run',
    summary: 'Wait until services have ended',
    load: async () => (await import('./commands/wait.ts')).wait,
  },
  rm: { group: 'Run', summary: 'Remove stopped containers', load: async () => (await import('./commands/rm.ts')).rm },
  run: {
    group: 'Run',
    summary: 'Run a one-off command in a container of its own',
    load: async () => (await import('./commands/run.ts')).run,
  },
  attach: {
    group: 'Run',
    summary: 'Connect this terminal to a running service',
    load: async () => (await import('./commands/attach.ts')).attach,
  },
  exec: {
    group: 'Run',
    summary: 'Run a command in a running container',
    load: async () => (await import('./commands/exec.ts')).exec,
  },
  cp: {
    group: 'Run',
    summary: 'Copy files from and to containers',
    load: async () => (await import('./commands/cp.ts')).cp,
  },
  ps: { group: 'Look', summary: 'List containers', load: async () => (await import('./commands/ps.ts')).ps },
  logs: {
    group: 'Look',
    summary: 'Show output of containers',
    load: async () => (await import('./commands/logs.ts')).logs,
  },
  events: {
    group: 'Look',
    summary: 'Show what happens to containers',
    load: async () => (await import('./commands/events.ts')).events,
  },
  inspect: {
    group: 'Look',
    summary: 'Show everything about containers',
    load: async () => (await import('./commands/inspect.ts')).inspect,
  },
  pull: {
    group: 'Run',
    summary: 'Pull images of services',
    load: async () => (await import('./commands/pull.ts')).pull,
  },
  push: {
    group: 'Run',
    summary: 'Push images of services',
    load: async () => (await import('./commands/push.ts')).push,
  },
  images: {
    group: 'Look',
    summary: 'List the images of containers',
    load: async () => (await import('./commands/images.ts')).images,
  },
  volumes: {
    group: 'Look',
    summary: 'List named volumes',
    load: async () => (await import('./commands/volumes.ts')).volumes,
  },
  top: { group: 'Look', summary: 'Show processes', load: async () => (await import('./commands/top.ts')).top },
  stats: {
    group: 'Look',
    summary: 'Show processor, memory, network and disk use',
    load: async () => (await import('./commands/stats.ts')).stats,
  },
  port: {
    group: 'Look',
    summary: 'Show the host address of a published port',
    load: async () => (await import('./commands/port.ts')).port,
  },
  ls: { group: 'Look', summary: 'List projects', load: async () => (await import('./commands/ls.ts')).ls },
  config: {
    group: 'Look',
    summary: 'Check the Compose file and print its canonical form',
    load: async () => (await import('./commands/config.ts')).config,
  },
  'container ls': {
    group: 'Host',
    summary: 'List the containers of all projects',
    load: async () => (await import('./commands/container-ls.ts')).containerLs,
  },
  'container inspect': {
    group: 'Host',
    summary: 'Show everything about containers',
    load: async () => (await import('./commands/inspect.ts')).inspect,
  },
  'image import': {
    group: 'Host',
    summary: 'Make an image of a root filesystem tarball',
    load: async () => (await import('./commands/image.ts')).importImage,
  },
  'image inspect': {
    group: 'Host',
    summary: 'Show everything about images',
    load: async () => (await import('./commands/image.ts')).inspectImages,
  },
  'image load': {
    group: 'Host',
    summary: 'Load images from a docker save or OCI archive',
    load: async () => (await import('./commands/image.ts')).loadImages,
  },
  'image pull': {
    group: 'Host',
    summary: 'Pull images',
    load: async () => (await import('./commands/image-transfer.ts')).pullImages,
  },
  'image push': {
    group: 'Host',
    summary: 'Push images',
    load: async () => (await import('./commands/image-transfer.ts')).pushImages,
  },
  'image ls': {
    group: 'Host',
    summary: 'List images',
    load: async () => (await import('./commands/image-ls.ts')).listImages,
  },
  'image history': {
    group: 'Host',
    summary: 'Show how an image came about',
    load: async () => (await import('./commands/image-history.ts')).imageHistory,
  },
  'image tag': {
    group: 'Host',
    summary: 'Give an image another name',
    load: async () => (await import('./commands/image.ts')).tagImage,
  },
  'image save': {
    group: 'Host',
    summary: 'Save images as one archive',
    load: async () => (await import('./commands/image-save.ts')).saveImages,
  },
  'image verify': {
    group: 'Host',
    summary: 'Check that images are whole',
    load: async () => (await import('./commands/image-verify.ts')).verifyImages,
  },
  'image prune': {
    group: 'Host',
    summary: 'Remove images that nobody needs',
    load: async () => (await import('./commands/prune.ts')).pruneImages,
  },
  'image rm': {
    group: 'Host',
    summary: 'Remove images',
    load: async () => (await import('./commands/image.ts')).removeImages,
  },
  'registry login': {
    group: 'Host',
    summary: 'Log in to a registry',
    load: async () => (await import('./commands/registry.ts')).registryLogin,
  },
  'registry logout': {
    group: 'Host',
    summary: 'Forget the credentials for a registry',
    load: async () => (await import('./commands/registry.ts')).registryLogout,
  },
  'registry search': {
    group: 'Host',
    summary: 'Look for images',
    load: async () => (await import('./commands/registry.ts')).registrySearch,
  },
  'system df': {
    group: 'Host',
    summary: 'Show what images, containers and volumes take of the disk',
    load: async () => (await import('./commands/system-df.ts')).systemDf,
  },
  'system prune': {
    group: 'Host',
    summary: 'Remove stopped containers, unused networks and images',
    load: async () => (await import('./commands/prune.ts')).pruneSystem,
  },
  'system boot': {
    group: 'Host',
    summary: 'After a reboot: start what restart policies ask for',
    load: async () => (await import('./commands/system.ts')).boot,
  },
  doctor: {
    group: 'Host',
    summary: 'Check what this machine can run, with a fix for what is missing',
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  version: {
    group: 'Host',
    summary: 'Show the version',
    load: async () => (await import('./commands/version.ts')).version,
  },
}

/** Short forms of docker, where no verb of docker compose has the name. */
export const SHORT_FORMS: Readonly<Record<string, string>> = {
  ...{ history: 'image history', load: 'image load', rmi: 'image rm', save: 'image save', tag: 'image tag' },
  ...{ login: 'registry login', logout: 'registry logout', search: 'registry search' },
}

/** Verbs of docker compose that are still to come. */
export const LATER: ReadonlySet<string> = new Set(['bridge', 'build', 'commit', 'export', 'publish', 'watch'])

export const NOUNS: ReadonlySet<string> = new Set(
  Object.keys(COMMANDS).flatMap((name) => (name.includes(' ') ? [name.slice(0, name.indexOf(' '))] : [])),
)
