/** The engine: each verb is observe, reconcile, execute. Verbs are loaded when asked for: `ps` pays nothing for `up`. */
import type { Engine, EngineOptions } from './types.ts'

export const createEngine = (options: EngineOptions): Engine => ({
  up: async (project, up) => (await import('./up.ts')).up(options, project, up),
  down: async (target, down) => (await import('./change.ts')).down(options, target, down),
  start: async (target, change) => (await import('./change.ts')).start(options, target, change),
  async *boot(dryRun) {
    yield* (await import('./boot.ts')).boot(options, dryRun)
  },
  stop: async (target, change) => (await import('./change.ts')).stop(options, target, change),
  restart: async (target, change) => (await import('./change.ts')).restart(options, target, change),
  pause: async (target, change) => (await import('./change.ts')).pause(options, target, change),
  unpause: async (target, change) => (await import('./change.ts')).unpause(options, target, change),
  kill: async (target, kill) => (await import('./change.ts')).kill(options, target, kill),
  remove: async (target, remove) => (await import('./change.ts')).remove(options, target, remove),
  support: async (project, lenient) => (await import('../plan/support.ts')).unsupported(project, lenient),

  ps: async (name) => (await import('./ps.ts')).ps(options, name),
  details: async (ids) => (await import('./details.ts')).details(options, ids),
  usage: async (name) => (await import('./usage.ts')).usageReader(options, name),
  top: async (name, services) => (await import('./processes.ts')).top(options, name, services),
  async *events(name, events) {
    yield* (await import('./watch-events.ts')).events(options, name, events)
  },
  async *wait(name, services) {
    yield* (await import('./wait-for-end.ts')).wait(options, name, services)
  },
  volumes: async (name) => (await import('./volumes.ts')).volumes(options, name),
  ls: async () => (await import('./ps.ts')).ls(options),
  findProject: async (files) => (await import('../state/projects.ts')).findProject(options, files),
  async *logs(name, logs) {
    yield* (await import('./logs.ts')).logs(options, name, logs)
  },
  lastLines: async (ids, count) => (await import('./last-lines.ts')).lastLines(options, ids, count),
  run: async (project, run) => (await import('./one-off.ts')).run(options, project, run),
  attach: async (name, attach) => (await import('./attach.ts')).attach(options, name, attach),
  exec: async (name, exec) => (await import('./exec.ts')).exec(options, name, exec),
  copy: async (name, copy) => (await import('./copy.ts')).copy(options, name, copy),
  port: async (name, port) => (await import('./ps.ts')).port(options, name, port),

  images: async () => (await import('./images.ts')).images(options),
  importImage: async (tar, reference, change) =>
    (await import('./images.ts')).importImage(options, tar, reference, change),
  inspectImages: async (names) => (await import('./images.ts')).inspectImages(options, names),
  loadImages: async (load) => (await import('./images.ts')).loadImages(options, load),
  pull: async (images, transfer) => (await import('./transfer.ts')).pull(options, images, transfer),
  push: async (references, transfer) => (await import('./transfer.ts')).push(options, references, transfer),
  taggedOf: async (reference) => (await import('./transfer.ts')).taggedOf(options, reference),
  digestOf: async (reference) => (await import('./transfer.ts')).digestOf(options, reference),
  imageSummaries: async () => (await import('./images.ts')).imageSummaries(options),
  imageHistory: async (name) => (await import('./images.ts')).history(options, name),
  tagImage: async (source, target) => (await import('./images.ts')).tagImage(options, source, target),
  async *saveImages(names, format) {
    yield* (await import('./image-archive.ts')).save(options, names, format)
  },
  verifyImages: async (names, fix) => (await import('./image-archive.ts')).verify(options, names, fix),
  pruneImages: async (isWanted, dryRun) => (await import('./prune.ts')).pruneImages(options, isWanted, dryRun),
  async *pruneProjects(wish) {
    yield* (await import('./prune.ts')).pruneProjects(options, wish)
  },
  diskUsage: async () => (await import('./disk-usage.ts')).diskUsage(options),
  removeImage: async (reference, remove) => (await import('./images.ts')).removeImage(options, reference, remove),

  login: async (login) => (await import('./registry.ts')).login(options, login),
  logout: async (host) => (await import('./registry.ts')).logout(options, host),
  searchImages: async (search) => (await import('./registry.ts')).searchImages(options, search),

  facts: async () => (await import('./host-facts.ts')).readHostFacts(options),
  doctor: async () => (await import('./doctor.ts')).doctor(options),
})
