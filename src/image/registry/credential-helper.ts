/** Programs that keep credentials: `docker-credential-NAME get|store|erase`, asked through stdin. */
import { spawn } from 'node:child_process'
import { CaissonError } from '../../errors.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface Helped {
  readonly output: string
  readonly isGood: boolean
}

const HELPER_NAME = /^[A-Za-z0-9._-]+$/
const MAX_OUTPUT = 1 << 20
/** Some ask the user to unlock something. */
const DEADLINE_MS = 120_000

export const programOf = (name: string): string => `docker-credential-${name}`

/** undefined: there is no such program. Throws EHELPER for one that does not come to an end. */
export const runHelper = (
  name: string,
  action: 'get' | 'store' | 'erase',
  input: string,
  environment: Environment,
): Promise<Helped | undefined> =>
  new Promise((resolve, reject) => {
    if (!HELPER_NAME.test(name)) return resolve(undefined)
    const child = spawn(programOf(name), [action], { env: environment, stdio: ['pipe', 'pipe', 'ignore'] })
    const parts: Buffer[] = []
    let size = 0
    const timer = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS)
    child.stdout.on('data', (part: Buffer) => {
      size += part.length
      if (size > MAX_OUTPUT) child.kill('SIGKILL')
      else parts.push(part)
    })
    child.stdin.on('error', () => {})
    child.once('error', () => {
      clearTimeout(timer)
      resolve(undefined)
    })
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      if (signal === null) resolve({ output: Buffer.concat(parts).toString('utf8'), isGood: code === 0 })
      else reject(new CaissonError('EHELPER', `the credential helper ${programOf(name)} was ended by ${signal}`))
    })
    child.stdin.end(input)
  })
