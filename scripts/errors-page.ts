/**
 * docs/errors.md: for each code what it means, and an example from fixtures/compose/errors with what Caisson prints of it.
 *   tsx scripts/errors-page.ts
 * test/compose/errors.test.ts holds that the page is up to date, and that the examples are true.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MEANINGS } from '../src/compose/codes.ts'
import { MEANINGS as PLAN_MEANINGS } from '../src/plan/codes.ts'
import { MEANINGS as SPEC_MEANINGS } from '../src/spec/codes.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
export const PAGE = join(root, 'docs/errors.md')
const examples = join(root, 'fixtures/compose/errors')

interface Part {
  readonly title: string
  readonly about: string
  readonly codes: Readonly<Record<string, string>>
}

/** The table of src/compose in the order of its phases, which begin with these codes. */
const PARTS: readonly (readonly [first: keyof typeof MEANINGS, title: string, about: string])[] = [
  ['file-not-found', 'Files', 'Which files are read, and whether they can be.'],
  [
    'yaml-syntax',
    'YAML',
    'A file that breaks the rules of YAML has no structure to look at, so that its other mistakes show when this one is mended.',
  ],
  ['variable-unset', 'Variables', 'What stands behind a dollar sign, and what became of it.'],
  ['merge-mismatch', 'Several files', 'How files go together.'],
  ['key-unknown', 'Keys and forms', 'Whether each key is known, and its value of the right form.'],
  ['port-invalid', 'Values', 'Texts that have a form of their own: ports, sizes, times …'],
  ['conflict', 'What fits together', 'Services, and what they refer to, seen as a whole.'],
]

const composeParts = (): readonly Part[] => {
  const entries = Object.entries(MEANINGS)
  const starts = PARTS.map(([first]) => entries.findIndex(([code]) => code === first))
  return PARTS.map(([, title, about], index) => {
    const codes = Object.fromEntries(entries.slice(starts[index], starts[index + 1]))
    return { title, about, codes }
  })
}

const parts = (): readonly Part[] => [
  ...composeParts(),
  {
    title: 'What this machine and this version can do',
    about: 'Told by `up`, `create` and `run` before they change anything; `config` accepts these files.',
    codes: PLAN_MEANINGS,
  },
  {
    title: 'What the kernel would refuse',
    about: 'Told before anything is changed, too; Docker tells most of these when it starts a container.',
    codes: SPEC_MEANINGS,
  },
]

export const CODES: readonly string[] = parts().flatMap(({ codes }) => Object.keys(codes))

/** `plan/namespaces` → `plan-namespaces`. */
export const folderOf = (code: string): string => code.replace('/', '-')

const HIDDEN = new Set(['case.json', 'expected.txt'])
const LANGUAGES: Readonly<Record<string, string>> = { yaml: 'yaml', yml: 'yaml', env: 'sh' }

/** Control characters would make git and browsers take the page for something else. */
const printable = (text: string): string => text.replaceAll(/[\x00-\x08\x0b-\x1f]/g, '·')

const fenced = (language: string, text: string): string => `\`\`\`${language}\n${printable(text.trimEnd())}\n\`\`\`\n`

interface Settings {
  readonly files?: readonly string[]
  readonly profiles?: readonly string[]
  readonly services?: readonly string[]
  readonly projectName?: string
  readonly environment?: Readonly<Record<string, string>>
}

/** The command of an example, where it takes more than `caisson config`. */
const commandOf = (settings: Settings, verb: string): string => {
  const words = [
    ...Object.entries(settings.environment ?? {}).map(([name, value]) => `${name}=${value}`),
    'caisson',
    ...(settings.files ?? []).flatMap((file) => ['-f', file]),
    ...(settings.profiles ?? []).flatMap((profile) => ['--profile', profile]),
    ...(settings.projectName ? ['-p', `"${settings.projectName}"`] : []),
    verb,
    ...(settings.services ?? []),
  ]
  return words.join(' ')
}

const fileOf = (directory: string, name: string, isOnly: boolean): string => {
  const extension = name.split('.').at(-1) ?? ''
  const text = readFileSync(join(directory, name), 'utf8')
  return `${isOnly ? '' : `\`${name}\`:\n\n`}${fenced(LANGUAGES[extension] ?? '', text)}`
}

const exampleOf = (code: string, verb: string): string => {
  const directory = join(examples, folderOf(code))
  if (!existsSync(directory)) return ''
  const settingsFile = join(directory, 'case.json')
  const settings = existsSync(settingsFile) ? (JSON.parse(readFileSync(settingsFile, 'utf8')) as Settings) : {}
  const files = readdirSync(directory)
    .filter((name) => !HIDDEN.has(name))
    // The file that a reader thinks of first.
    .sort((one, other) => Number(other === 'compose.yaml') - Number(one === 'compose.yaml'))
  const isOnly = files.length === 1 && files[0] === 'compose.yaml'
  const shown = files.map((name) => fileOf(directory, name, isOnly)).join('\n')
  const output = readFileSync(join(directory, 'expected.txt'), 'utf8')
  return `\n${shown}\n${fenced('console', `$ ${commandOf(settings, verb)}\n${output}`)}`
}

const partOf = ({ title, about, codes }: Part): string => {
  const verb = codes === PLAN_MEANINGS || codes === SPEC_MEANINGS ? 'up' : 'config'
  const entries = Object.entries(codes).map(
    ([code, meaning]) => `### \`${code}\`\n\n${meaning}\n${exampleOf(code, verb)}`,
  )
  return `## ${title}\n\n${about}\n\n${entries.join('\n')}`
}

const HEAD = `# Errors in Compose files

Caisson reads all files of a project and tells all of their mistakes at once: for each the file, line and column, what is wrong,
what to write instead where that can be told, and the lines around with the wrong part marked. At the end of the first line is
a code, by which this page is sorted.

- An **error** stops the command; a **warning** is only worth knowing.
- A value that comes from variables is shown as it was read, with the names of the variables: \`"maybe" (from $PRIVILEGED)\`.
- Places in lists are counted from one: \`item 2 of services.web.ports\`.
- \`caisson config -q\` checks the files and does nothing else. With \`--format json\` it prints the findings for programs.

This page is made by \`scripts/errors-page.ts\`: each example is a test, and the output below it is what Caisson prints.
`

/** The whole page. */
export const errorsPage = (): string => `${HEAD}\n${parts().map(partOf).join('\n')}`

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, errorsPage())
