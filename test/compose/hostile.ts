/** Compose files that are made to exhaust whoever reads them. Name → text. */
const MEGABYTES = 10 * 1024 * 1024
const filled = (part: string, size = MEGABYTES): string => part.repeat(Math.ceil(size / part.length))
const aliases = Array.from({ length: 30 }, (_, level) => `x-${level + 1}: &a${level + 1} [${`*a${level},`.repeat(9)}]`)

export const HOSTILE: Readonly<Record<string, () => string>> = {
  'ten megabytes of nothing': () => filled(' '),
  'ten megabytes of a comment': () => `#${filled('x')}`,
  'one value of ten megabytes': () => `services: {web: {image: a, command: "${filled('x')}"}}`,
  'a key of ten megabytes': () => `services: {web: {image: a, labels: {${filled('k')}: v}}}`,
  'a number of a million digits': () => `services: {web: {image: a, cpus: ${filled('9', 1_000_000)}}}`,
  'ten thousand brackets': () => `x-a: ${'['.repeat(10_000)}${']'.repeat(10_000)}`,
  'ten thousand dashes': () => `x-a:\n  ${'- '.repeat(10_000)}x`,
  'aliases of aliases': () => `x-0: &a0 [x]\n${aliases.join('\n')}\nservices: {web: {image: a}}`,
  'variables in variables': () => `services: {web: {image: "${'${A:-'.repeat(10_000)}${'}'.repeat(10_000)}"}}`,
  'variables without end': () => `services: {web: {image: "${filled('${A:-{}', 100_000)}"}}`,
}
