import type { Engine } from '../index.ts'
import type { Context } from './context.ts'
import { formatNotice } from './render/progress.ts'
import { openEngine } from './runtime.ts'

/** Only what has to be said: warnings, and whom a change waits for. */
export const openWriter = (context: Context): Engine =>
  openEngine(context, (event) => {
    const notice = formatNotice(context, event)
    if (notice !== undefined) context.stderr.write(notice)
  })
