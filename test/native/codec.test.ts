import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generate } from '../../scripts/generate-codec.ts'
import { encode } from '../../src/native/encode.ts'
import { execPlan, launchPlan, MAGIC, PLAN_VERSION, undoList } from '../../src/native/launch-plan.ts'
import type { RecordSchema, Schema } from '../../src/native/schema.ts'

const root = join(import.meta.dirname, '../..')
const coreTest = join(root, 'build/core-test')

/** A value of each kind that no other field has, so that two swapped fields cannot go unnoticed. */
const sampleOf = (schema: Schema, counter: { next: number }): unknown => {
  const number = counter.next++
  switch (schema.kind) {
    case 'u8':
      return number % 256
    case 'u32':
      return 0xf000_0000 + number
    case 'i32':
      return -number
    case 'u64':
      return 0xf000_0000_0000_0000n + BigInt(number)
    case 'bool':
      return number % 2 === 0
    case 'text':
      return `text ${number} ä✓`
    case 'bytes':
      return Uint8Array.of(number % 256, 0, 255)
    case 'enum':
      return schema.values[number % schema.values.length]
    case 'list':
      return [sampleOf(schema.item, counter), sampleOf(schema.item, counter)]
    case 'record':
      return Object.fromEntries(
        Object.entries(schema.fields).map(([name, field]) => [name, sampleOf(field.schema, counter)]),
      )
  }
}

/** The lines that native/test/plan_text.cc prints for the same value. */
const linesOf = (schema: Schema, value: unknown, path: string): string[] => {
  switch (schema.kind) {
    case 'record':
      return Object.entries(schema.fields).flatMap(([name, field]) =>
        linesOf(field.schema, (value as Record<string, unknown>)[name], `${path}.${name}`),
      )
    case 'list':
      return (value as unknown[]).flatMap((item, index) => linesOf(schema.item, item, `${path}[${index}]`))
    case 'bytes':
      return [`${path}=${Buffer.from(value as Uint8Array).toString('hex')}`]
    case 'bool':
      return [`${path}=${value ? 1 : 0}`]
    default:
      return [`${path}=${value}`]
  }
}

const fileOf = (schema: RecordSchema<unknown>, magic: number, value: unknown): Buffer => {
  const header = Buffer.alloc(8)
  header.writeUInt32LE(magic, 0)
  header.writeUInt32LE(PLAN_VERSION, 4)
  return Buffer.concat([header, encode(schema, value)])
}

test('the generated C++ is what the schemas say today', () => {
  for (const [path, text] of Object.entries(generate())) {
    assert.is(readFileSync(join(root, path), 'utf8'), text, `${path}: run npx tsx scripts/generate-codec.ts`)
  }
})

const kinds: readonly [string, RecordSchema<unknown>, number][] = [
  ['launch', launchPlan, MAGIC.launch],
  ['exec', execPlan, MAGIC.exec],
  ['undo', undoList, MAGIC.undo],
]

for (const [kind, schema, magic] of kinds) {
  test(`C++ reads every field of a ${kind} file as TypeScript wrote it`, () => {
    const value = sampleOf(schema, { next: 1 })
    const printed = spawnSync(coreTest, ['print', kind], { input: fileOf(schema, magic, value), encoding: 'utf8' })
    assert.is(printed.error, undefined, `${coreTest}: run node scripts/build-native.mjs --sanitize`)
    assert.is(printed.stderr, '')
    assert.equal(printed.stdout.trimEnd().split('\n'), linesOf(schema, value, schema.name))
  })
}

test('a file of another version is refused by name', () => {
  const file = fileOf(launchPlan, MAGIC.launch, sampleOf(launchPlan, { next: 1 }))
  file.writeUInt32LE(PLAN_VERSION + 1, 4)
  const printed = spawnSync(coreTest, ['print', 'launch'], { input: file, encoding: 'utf8' })
  assert.is(printed.status, 1)
  assert.match(printed.stderr, /^version /)
})

test.run()
