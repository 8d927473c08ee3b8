/** Edit distance where swapping two neighbours counts once (optimal string alignment). */
const distance = (a: string, b: string): number => {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const now = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1] ? 0 : 1
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      now[column] = Math.min(
        (last[column] ?? 0) + 1,
        (now[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + same,
        swapped ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    before = last
    last = now
  }
  return last[b.length] ?? 0
}

/** The one of `known` that was probably meant: at most two slips and less than half of the word, or a unique beginning. */
export const suggest = (word: string, known: readonly string[]): string | undefined => {
  const near = known
    .map((name) => ({ name, cost: distance(word, name) }))
    .filter(({ name, cost }) => cost <= 2 && cost * 2 < Math.max(name.length, 3))
    .sort((a, b) => a.cost - b.cost)[0]
  if (near !== undefined) return near.name
  const beginning = known.filter((name) => word.length >= 3 && name.startsWith(word))
  return beginning.length === 1 ? beginning[0] : undefined
}

/** ` (did you mean X?)`-style hint, or undefined. */
export const didYouMean = (word: string, known: readonly string[]): string | undefined => {
  const meant = suggest(word, known)
  return meant === undefined ? undefined : `did you mean ${meant}?`
}
