/** What can be wrong with a line of a file of variables, in words that quote no value. */

export interface DotenvMistake {
  /** From 1. */
  readonly line: number
  readonly message: string
  readonly hint: string | undefined
  /** Offsets into the text. */
  readonly start: number
  readonly end: number
}

export interface Words {
  readonly message: string
  readonly hint?: string
}

export const mistakeAt = (text: string, { message, hint }: Words, start: number, end: number): DotenvMistake => ({
  line: text.slice(0, start).split('\n').length,
  ...{ message, hint, start, end },
})

export const NAME_HINT = 'names consist of letters, digits and "_": write NAME=VALUE'

/** Nobody has a password like this: capital letters, as names of variables are written. */
const NAMES = /^(?:(?:export|set)\s+)?[A-Z_][A-Z0-9_]*(?:\s+[A-Z_][A-Z0-9_]*)*$/

export interface Spaced {
  readonly words: Words
  /** Offsets into the name. */
  readonly start: number
  readonly end: number
}

/** What looks like no name before a sign may be the next line of a secret: nothing of it is shown but the space. */
export const spaced = (name: string, isAssigned: boolean): Spaced => {
  const space = name.search(/\s/)
  if (!isAssigned || !NAMES.test(name.trim()) || name.length > 40)
    return { words: { message: 'A name has a space in it', hint: NAME_HINT }, start: space, end: space + 1 }
  const hint = `write ${name.trim().replaceAll(/\s+/g, '_')}=VALUE`
  return { words: { message: `The name "${name}" contains a space`, hint }, start: 0, end: name.length }
}

export const NAMELESS: Spaced = { words: { message: 'The name before = is missing' }, start: 0, end: 1 }

/** Whichever of the words before the sign was meant. */
export const namesOf = (line: string): readonly string[] => {
  const words = line.split('=', 1)[0]?.match(/[A-Za-z_]\w*/g) ?? []
  return [...words, words.join('_')]
}

export const noVariable = (user: string): Words => ({
  message: `A \${ in the value of ${user} begins no variable`,
  hint: 'write $$ for a dollar sign, or single quotes around the value',
})
