/** `format: raw` of `env_file`: every line is taken as it stands after the first `=`. */
import { BYTE_ORDER_MARK, type DotenvPlace, type DotenvResult, type Lookup } from './dotenv.ts'
import { type DotenvMistake, mistakeAt, NAMELESS, namesOf, type Spaced, spaced } from './dotenv-mistakes.ts'

const mistakeOf = (name: string, isAssigned: boolean): Spaced | undefined => {
  if (name === '') return NAMELESS
  return /\s/.test(name) ? spaced(name, isAssigned) : undefined
}

export const parseRawEnvironment = (text: string, lookup: Lookup): DotenvResult => {
  const variables = new Map<string, string>()
  const places = new Map<string, DotenvPlace>()
  const mistakes: DotenvMistake[] = []
  const wrong = new Set<string>()
  let start = text.startsWith(BYTE_ORDER_MARK) ? 1 : 0
  for (const whole of text.slice(start).split('\n')) {
    const line = whole.replace(/\r$/, '').trimStart()
    const nameStart = start + whole.length - whole.trimStart().length
    start += whole.length + 1
    if (line === '' || line.startsWith('#')) continue
    const cut = line.indexOf('=')
    const name = cut < 0 ? line : line.slice(0, cut)
    const wrongName = mistakeOf(name, cut > 0)
    if (wrongName) {
      const { words, start: from, end: to } = wrongName
      mistakes.push(mistakeAt(text, words, nameStart + from, nameStart + to))
      for (const each of namesOf(line)) wrong.add(each)
      continue
    }
    const value = cut < 0 ? lookup(name) : line.slice(cut + 1)
    if (value === undefined) continue
    variables.set(name, value)
    places.set(name, { start: nameStart, end: nameStart + name.length, used: cut < 0 ? [name] : [] })
  }
  return { variables, places, mistakes, wrong, unset: [] }
}
