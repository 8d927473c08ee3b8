/** Events of a project's containers, from the journal: those that are there, and those that come. */
import { type FSWatcher, watch } from 'node:fs'
import { JournalReader } from '../state/journal.ts'
import { journalFile, type Roots } from '../state/layout.ts'
import type { JournalEvent } from '../state/records.ts'
import type { ContainerEvent, EngineOptions, EventOptions } from './types.ts'

/** The truth, where inotify is only a hint: a lost one costs this much. */
const POLL_MS = 500

/** Nine digits of fraction: then times compare as texts. */
const fullTime = (time: string): string =>
  time.replace(/(?:\.(\d{1,9}))?Z$/, (_, digits = '') => `.${String(digits).padEnd(9, '0')}Z`)

const toEvent = ({ time, action, id, attributes }: JournalEvent): ContainerEvent => {
  const { project: _project, service = '', ...rest } = attributes
  return { time: fullTime(time), type: 'container', action, id, service, attributes: rest }
}

const isWanted = ({ type, attributes }: JournalEvent, project: string, services: readonly string[]): boolean =>
  type === 'container' &&
  attributes.project === project &&
  (services.length === 0 || services.includes(attributes.service ?? ''))

/** Resolves when something may have been written, after POLL_MS, or at `endsAt`. */
const hints = (roots: Roots) => {
  let wake = () => {}
  let watcher: FSWatcher | undefined
  const look = () => {
    try {
      watcher ??= watch(journalFile(roots), { persistent: false }, () => wake()).on('error', () => {})
    } catch {
      // Not written yet, or no inotify left: polling does it.
    }
  }
  const next = (atMostMs: number) =>
    new Promise<void>((resolve) => {
      look()
      const timer = setTimeout(resolve, Math.max(1, Math.min(POLL_MS, atMostMs)))
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  return { next, wake: () => wake(), close: () => watcher?.close() }
}

/** Ends when `until` has passed, or `signal` fires. Without `since` it begins now. */
export async function* events(
  engine: EngineOptions,
  project: string,
  { services, since, until, signal }: EventOptions,
): AsyncGenerator<ContainerEvent> {
  const reader = new JournalReader(engine, since === '' ? 'end' : 'start')
  const changes = hints(engine)
  signal?.addEventListener('abort', changes.wake, { once: true })
  const endsAt = until === '' ? Number.POSITIVE_INFINITY : Date.parse(until)
  try {
    while (!signal?.aborted) {
      const isLast = Date.now() > endsAt // before the last look
      for (const found of reader.read()) {
        if (!isWanted(found, project, services)) continue
        const event = toEvent(found)
        if (event.time < since) continue
        if (until !== '' && event.time > until) return
        yield event
      }
      if (isLast) return
      await changes.next(endsAt - Date.now() + 1)
    }
  } finally {
    changes.close()
    reader.close()
  }
}
