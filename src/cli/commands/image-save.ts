import { closeSync, openSync, readdirSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { CaissonError } from '../../errors.ts'
import { defineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { choice, text } from '../grammar.ts'
import { Interrupts } from '../interrupts.ts'
import { openWriter } from '../open-writer.ts'
import { requireRoot } from '../runtime.ts'
import { EXIT, refuseDryRun, UsageError } from '../usage.ts'

const writeWhole = (fd: number, chunk: Buffer): void => {
  for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at)
}

const openFile = (path: string): number => {
  try {
    return openSync(path, 'w', 0o600)
  } catch (error) {
    throw new CaissonError('EFILE', `${path} cannot be written: ${error instanceof Error ? error.message : error}`)
  }
}

/** A device or pipe is written as it is; a file is there when it is whole. */
const isDevice = (path: string): boolean => {
  const there = statSync(path, { throwIfNoEntry: false })
  return there !== undefined && !there.isFile()
}

const draftOf = (path: string): string => `${path}.caisson-${process.pid}.part`
const DRAFT = /^(.+)\.caisson-(\d+)\.part$/

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code !== 'ESRCH'
  }
}

/** What commands that were killed have left of the same file. */
const removeDrafts = (path: string): void => {
  for (const name of readdirSync(dirname(path))) {
    const [, of, pid] = DRAFT.exec(name) ?? []
    if (of === basename(path) && !isAlive(Number(pid))) rmSync(join(dirname(path), name), { force: true })
  }
}

const toFile = async (path: string, archive: AsyncIterable<Buffer>): Promise<void> => {
  const draft = isDevice(path) ? path : draftOf(path)
  const fd = openFile(draft)
  const discard = () => draft !== path && rmSync(draft, { force: true })
  const interrupts = new Interrupts(() => {
    discard()
    process.exit(EXIT.interrupted)
  })
  interrupts.listen()
  try {
    if (draft !== path) removeDrafts(path)
    for await (const chunk of archive) writeWhole(fd, chunk)
    if (draft !== path) renameSync(draft, path)
  } finally {
    interrupts.ignore()
    closeSync(fd)
    discard()
  }
}

const toStdout = async ({ stdout }: Context, archive: AsyncIterable<Buffer>): Promise<void> => {
  for await (const chunk of archive) {
    stdout.write(chunk)
    await stdout.drained()
  }
}

export const saveImages = defineCommand({
  usage: 'IMAGE…',
  summary: 'Save images as one archive, for docker load, podman, skopeo and caisson image load',
  details: 'Equal images give equal bytes. A name without a tag means all of its tags.',
  arity: [1, Number.POSITIVE_INFINITY],
  options: {
    output: text('FILE', 'Write there instead of to stdout', 'o'),
    format: choice(
      ['docker-archive', 'oci'],
      'docker-archive',
      'An OCI layout with the manifest.json of docker, or without',
    ),
  },
  examples: [
    'caisson image save -o shop.tar shop/web:1 shop/api:1',
    'caisson image save shop/web:1 | zstd >shop.tar.zst',
  ],
  run: async (context, { values: { output, format, dryRun }, positionals }) => {
    requireRoot()
    refuseDryRun('image save', dryRun)
    if (output === undefined && context.stdout.isTTY)
      throw new UsageError('image save does not write an archive to a terminal', 'use -o FILE, or | to a program')
    const archive = openWriter(context).saveImages(positionals, format)
    await (output === undefined ? toStdout(context, archive) : toFile(resolve(context.cwd, output), archive))
    return 0
  },
})
