/** A circle in words: `a → b → a`. */

/** Members that are named; of a longer circle both ends. */
const LENGTH = 10

const GAP = '…'

/** `word` is asked for none but those that are named. */
const ends = <Member>(members: readonly Member[], word: (member: Member) => string): readonly string[] =>
  members.length <= LENGTH
    ? members.map(word)
    : [...members.slice(0, LENGTH / 2).map(word), GAP, ...members.slice(-LENGTH / 2).map(word)]

export const arrows = <Member>(members: readonly Member[], word: (member: Member) => string): string =>
  ends(members, word).join(' → ')

export const commas = <Member>(members: readonly Member[], word: (member: Member) => string): string =>
  ends(members, word).join(', ')
