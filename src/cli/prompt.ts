/** Questions to whoever sits at the terminal. They are asked on stderr: stdout is for results. */
import type { Context } from './context.ts'
import { CaissonError } from '../errors.ts'

const BACKSPACE = new Set(['\x7f', '\b'])
const CLEAR_LINE = '\x15'
const END = new Set(['\r', '\n', '\x04'])
const CTRL_C = '\x03'

/** Text after a key; undefined: it is whole. Throws EINTERRUPTED. */
export const typed = (text: string, key: string): string | undefined => {
  if (key === CTRL_C) throw new CaissonError('EINTERRUPTED', 'interrupted')
  if (END.has(key)) return undefined
  if (BACKSPACE.has(key)) return [...text].slice(0, -1).join('')
  if (key === CLEAR_LINE) return ''
  return key < ' ' ? text : text + key
}

/** Reads keys until `take` says that it has enough. */
const readKeys = (take: (key: string) => boolean): Promise<void> =>
  new Promise((resolve, reject) => {
    const { stdin } = process
    const finish = (end: () => void) => {
      stdin.off('data', read)
      stdin.pause()
      end()
    }
    const read = (data: Buffer): void => {
      try {
        if ([...data.toString()].some(take)) finish(resolve)
      } catch (error) {
        finish(() => reject(error))
      }
    }
    stdin.on('data', read)
    stdin.resume()
  })

/** undefined: Ctrl-C. `isHidden`: nothing of the answer is shown, not even its length. */
export const ask = async (context: Context, question: string, isHidden: boolean): Promise<string | undefined> => {
  const { stdin } = process
  let text = ''
  // Before the question: who types ahead is not shown either.
  if (isHidden) stdin.setRawMode(true)
  context.stderr.write(question)
  try {
    await readKeys((key) => {
      const next = typed(text, key)
      text = next ?? text
      return next === undefined
    })
  } catch (error) {
    if (error instanceof CaissonError && error.code === 'EINTERRUPTED') return undefined
    throw error
  } finally {
    if (isHidden) {
      stdin.setRawMode(false)
      context.stderr.write('\n')
    }
  }
  return text
}
