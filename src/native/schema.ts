/**
 * A tiny schema language for what crosses to C++: one declaration gives the TypeScript type, the encoder, and (through
 * scripts/generate-codec.ts) the C++ structs with their decoder. Little-endian, fields in declared order, no padding:
 * u8 u32 i32 u64 as they are; bool = u8 0|1; text and bytes = u32 length + content (text: UTF-8 without NUL);
 * list = u32 count + items; record = its fields.
 */
export type Schema<T = unknown> = Scalar<T> | ListSchema<T> | RecordSchema<T> | EnumSchema<T>
export interface Scalar<T> {
  readonly kind: 'u8' | 'u32' | 'i32' | 'u64' | 'bool' | 'text' | 'bytes'
  readonly type?: T
}
export interface ListSchema<T> {
  readonly kind: 'list'
  readonly item: Schema
  readonly type?: T
}
export interface RecordSchema<T> {
  readonly kind: 'record'
  readonly name: string
  readonly fields: Readonly<Record<string, Field>>
  readonly type?: T
}
export interface EnumSchema<T> {
  readonly kind: 'enum'
  readonly name: string
  readonly values: readonly string[]
  readonly type?: T
}
export interface Field {
  readonly schema: Schema
  /** Meaning, unit, range and sentinel; copied into the C++ header. */
  readonly doc: string
}
export type Infer<S> = S extends { readonly type?: infer T } ? T : never

export const u8: Scalar<number> = { kind: 'u8' }
export const u32: Scalar<number> = { kind: 'u32' }
export const i32: Scalar<number> = { kind: 'i32' }
export const u64: Scalar<bigint> = { kind: 'u64' }
export const bool: Scalar<boolean> = { kind: 'bool' }
export const text: Scalar<string> = { kind: 'text' }
export const bytes: Scalar<Uint8Array> = { kind: 'bytes' }
export const list = <T>(item: Schema<T>): ListSchema<readonly T[]> => ({ kind: 'list', item })
/** An enum is one byte: the index into `values`. */
export const enumeration = <const V extends readonly string[]>(name: string, values: V): EnumSchema<V[number]> => ({
  kind: 'enum',
  name,
  values,
})

type FieldPairs = Readonly<Record<string, readonly [Schema, string]>>
type RecordType<F extends FieldPairs> = { readonly [K in keyof F]: NonNullable<Infer<F[K][0]>> }
/** A record: `{ field: [schema, doc] }`. Order of declaration is order on the wire. */
export const record = <const F extends FieldPairs>(name: string, fields: F): RecordSchema<RecordType<F>> => ({
  kind: 'record',
  name,
  fields: Object.fromEntries(Object.entries(fields).map(([key, [schema, doc]]) => [key, { schema, doc }])),
})
