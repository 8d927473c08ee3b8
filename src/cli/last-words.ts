/** What is said of services that failed, where Compose is silent: how, the last probes, the last lines. In the form that is wanted. */
import type { Context } from './context.ts'
import { ciOf, formatAnnotation, formatGroup } from './render/ci.ts'
import { placeOfService } from './render/diagnostic.ts'
import { failureDocument, formatFailure } from './render/failure.ts'
import { progressMode } from './render/progress.ts'
import { openReader } from './runtime.ts'
import { judgeContainers, type Verdict } from './verdicts.ts'

const report = (context: Context, verdict: Verdict, label: string): void => {
  const { stderr, env } = context
  if (progressMode(context) === 'json') {
    stderr.write(`${JSON.stringify(failureDocument(verdict))}\n`)
    return
  }
  const ci = ciOf(env)
  const { head, lines } = formatFailure(verdict, ci, stderr.style)
  const title = `service ${verdict.service}`
  const group = formatGroup(ci, {
    id: `failed_${verdict.service.replaceAll(/\W/g, '_')}`,
    title: head.trimEnd(),
    now: Date.now(),
  })
  if (ci === 'github') {
    const { message, service } = verdict
    stderr.write(formatAnnotation({ title, message, place: placeOfService(context, service) }, env.GITHUB_WORKSPACE))
  }
  stderr.write(`${stderr.style('yellow', label)} ${head}${group.begin}${lines}${group.end}`)
}

/** Writes to stderr; no line for services that run or have ended well. */
export const reportFailed = async (
  context: Context,
  { project, services, label }: { project: string; services: readonly string[]; label: 'warning:' | 'error:' },
): Promise<void> => {
  const verdicts = await judgeContainers(openReader(context), project, services, 'failed')
  for (const verdict of verdicts) report(context, verdict, label)
}
