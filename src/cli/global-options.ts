import { accepted, choice, flag, hidden, integer, list, text, type Values } from './grammar.ts'

/** Options that precede the command, as those of docker compose do. */
export const globalOptions = {
  file: list('FILE', 'Compose file; repeat it to merge several, - reads from stdin', 'f'),
  projectName: text('NAME', 'Project name', 'p'),
  projectDirectory: text('DIR', 'Directory that relative paths start from (default: that of the first Compose file)'),
  envFile: list('FILE', 'File of variables for interpolation instead of .env; may be repeated'),
  profile: list('NAME', 'Enable a profile; may be repeated'),
  parallel: accepted(integer('N', '', undefined, -1)),
  ansi: choice(['auto', 'never', 'always'], 'auto', 'When to print colours'),
  progress: choice(['auto', 'tty', 'plain', 'json', 'quiet'], 'auto', 'How to show progress'),
  lenient: flag('Warn of Compose keys that are not supported yet instead of failing'),
  dryRun: flag('Show what would change, and why; change nothing'),
  version: flag('Show the version', 'v'),
  help: flag('Show this help', 'h'),
  compatibility: accepted(flag('')),
  allResources: accepted(flag('')),
  noAnsi: hidden(flag('')),
  verbose: accepted(flag('')),
  workdir: hidden(text('DIR', '')),
}

export type GlobalValues = Values<typeof globalOptions>
