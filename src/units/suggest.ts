/** "Did you mean …": the nearest of some words. */

/** Edits (insert, delete, replace, swap of neighbours) between two words. */
const distance = (one: string, other: string): number => {
  let before: number[] = []
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let row = 1; row <= one.length; row++) {
    const current = [row]
    for (let column = 1; column <= other.length; column++) {
      const same = one[row - 1] === other[column - 1]
      const best = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      )
      const swapped = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]
      current.push(swapped ? Math.min(best, (before[column - 2] ?? 0) + 1) : best)
    }
    before = previous
    previous = current
  }
  return previous[other.length] ?? 0
}

const simplify = (word: string): string => word.toLowerCase().replaceAll(/[-_. ]/g, '')

/** 0: the same but for case, hyphens or a plural; 1: a part of it. */
const edits = (wanted: string, plain: string): number => {
  if (plain === wanted || plain === `${wanted}s` || `${plain}s` === wanted) return 0
  const isPart = wanted.length >= 4 && (plain.startsWith(wanted) || plain.endsWith(wanted))
  return isPart ? 1 : distance(wanted, plain)
}

/** The word meant, where one is near enough: a third of its letters, at most three. */
export const suggest = (word: string, words: readonly string[]): string | undefined => {
  const wanted = simplify(word)
  let nearest: string | undefined
  let least = Math.min(3, Math.max(1, Math.floor(wanted.length / 3))) + 1
  for (const candidate of words) {
    const count = edits(wanted, simplify(candidate))
    if (count < least) [nearest, least] = [candidate, count]
  }
  return nearest
}

export const didYouMean = (word: string, words: readonly string[]): string | undefined => {
  const nearest = suggest(word, words)
  return nearest === undefined ? undefined : `did you mean "${nearest}"?`
}
