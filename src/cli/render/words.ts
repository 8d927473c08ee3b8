/** Words of Compose for what an operation is doing and has done. */
import type { EngineEvent, Operation } from '../../index.ts'

const WORDS: Readonly<Record<Operation['kind'], readonly [doing: string, done: string]>> = {
  recoverContainer: ['Recovering', 'Recovered'],
  createNetwork: ['Creating', 'Created'],
  restoreNetwork: ['Restoring', 'Restored'],
  removeNetwork: ['Removing', 'Removed'],
  createVolume: ['Creating', 'Created'],
  removeVolume: ['Removing', 'Removed'],
  createContainer: ['Creating', 'Created'],
  startContainer: ['Starting', 'Started'],
  stopContainer: ['Stopping', 'Stopped'],
  pauseContainer: ['Pausing', 'Paused'],
  unpauseContainer: ['Unpausing', 'Unpaused'],
  signalContainer: ['Killing', 'Killed'],
  removeContainer: ['Removing', 'Removed'],
}

export const doingWord = (operation: Operation): string => WORDS[operation.kind][0]
export const doneWord = (operation: Operation): string => WORDS[operation.kind][1]

export const titleOf = (subject: { readonly noun: string; readonly name: string }): string =>
  `${subject.noun.charAt(0).toUpperCase()}${subject.noun.slice(1)} ${subject.name}`

/** State of an operation's event in a word. */
export const stateWord = (event: Extract<EngineEvent, { kind: 'started' | 'done' | 'failed' | 'skipped' }>): string => {
  switch (event.kind) {
    case 'started':
      return doingWord(event.node.operation)
    case 'done':
      return doneWord(event.node.operation)
    case 'failed':
      return 'Error'
    case 'skipped':
      return 'Skipped'
  }
}

/** `12ms`, `1.8s`. */
export const formatMilliseconds = (milliseconds: number): string =>
  milliseconds < 1000 ? `${Math.round(milliseconds)}ms` : `${(milliseconds / 1000).toFixed(1)}s`
