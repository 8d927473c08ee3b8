/** Generated from schemas/compose.schema.json by scripts/compile-schema.ts. */
declare module '*/compose-validator.cjs' {
  export interface ValidationError {
    /** JSON Pointer into the value. */
    readonly instancePath: string
    /** `#/$defs/service/additionalProperties`: into the schema. */
    readonly schemaPath: string
    readonly keyword: string
    readonly params: Readonly<Record<string, unknown>>
  }
  interface Validate {
    (value: unknown): boolean
    readonly errors: readonly ValidationError[] | null
  }
  export const validate: Validate
}
