// The language in which APIs are defined: fields with types, bounds and prose.
// Enters: a definition, once. Leaves: the types of requests and responses; codec, docs and fuzzing read the same data.
// Source: Kafka's message JSON files, franz-go's definitions (STYLE 2.9).
import type { ErrorName } from './errors.ts'

/** What a field may be. Kinds are what the codec, the docs and the fuzzer switch over. */
export type FieldType =
  | { readonly kind: 'int'; readonly name: string; readonly min: number; readonly max: number }
  | { readonly kind: 'bool' }
  | { readonly kind: 'string'; readonly bytesMax: number }
  | { readonly kind: 'uuid' }
  | { readonly kind: 'nullable'; readonly of: FieldType }
  | { readonly kind: 'list'; readonly of: FieldType; readonly countMax: number }
  | { readonly kind: 'struct'; readonly fields: Fields }
  /** On the wire `[index of its first blob, count]`; `many` false: exactly one blob. */
  | { readonly kind: 'blob'; readonly many: boolean }

/** One field. `T` is the type of its values; it exists for the compiler only. */
export type Field<T> = {
  readonly type: FieldType
  readonly about: string
  /** First version that carries it. */
  readonly since: number
  /** What a reader sees where the sender's version lacks it; required where `since > 0`. */
  readonly fallback: T | undefined
  readonly value?: T
}
// biome-ignore lint/suspicious/noExplicitAny: a table of fields holds fields of every type.
export type Fields = { readonly [name: string]: Field<any> }

export type ValueOf<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never
}

type Options<T> = { readonly since?: number; readonly fallback?: T }

function field<T>(type: FieldType, about: string, options: Options<T> = {}): Field<T> {
  return { type, about, since: options.since ?? 0, fallback: options.fallback }
}

function int(name: string, min: number, max: number) {
  return (about: string, options?: Options<number>): Field<number> =>
    field({ kind: 'int', name, min, max }, about, options)
}

export const int8 = int('int8', -128, 127)
export const int16 = int('int16', -32_768, 32_767)
export const int32 = int('int32', -2_147_483_648, 2_147_483_647)
/** Safe integers only: offsets and times never reach 2^53 (STYLE 3.3). */
export const int64 = int('int64', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
/** The number of a record in its partition; -1 and -2 have the meaning that the field's prose gives. */
export const offset = int('offset', -2, Number.MAX_SAFE_INTEGER)
/** Milliseconds since 1970; negative values have the meaning that the field's prose gives. */
export const time = int('time', -3, Number.MAX_SAFE_INTEGER)

export function bool(about: string, options?: Options<boolean>): Field<boolean> {
  return field({ kind: 'bool' }, about, options)
}

/** UTF-8, at most `bytesMax` bytes (default 32,767, Kafka's bound of a short string). */
export function string(
  about: string,
  options: Options<string> & { readonly bytesMax?: number } = {},
): Field<string> {
  return field({ kind: 'string', bytesMax: options.bytesMax ?? 32_767 }, about, options)
}

/** A UUID in lower-case text form, 36 characters. */
export function uuid(about: string, options?: Options<string>): Field<string> {
  return field({ kind: 'uuid' }, about, options)
}

export function nullable<T>(inner: Field<T>, options?: Options<T | null>): Field<T | null> {
  return field({ kind: 'nullable', of: inner.type }, inner.about, options)
}

/** A list of structs or of plain fields, never longer than `countMax`. */
export function list<F extends Fields>(
  about: string,
  of: Struct<F>,
  options: { readonly countMax: number } & Options<readonly ValueOf<F>[]>,
): Field<readonly ValueOf<F>[]>
export function list<T>(
  about: string,
  of: Field<T>,
  options: { readonly countMax: number } & Options<readonly T[]>,
): Field<readonly T[]>
export function list(
  about: string,
  of: Struct<Fields> | Field<unknown>,
  // biome-ignore lint/suspicious/noExplicitAny: the overloads above say which list it is.
  options: { readonly countMax: number } & Options<any>,
  // biome-ignore lint/suspicious/noExplicitAny: as above.
): Field<any> {
  const element: FieldType = 'type' in of ? of.type : of
  return field({ kind: 'list', of: element, countMax: options.countMax }, about, options)
}

/** One struct as a field. */
export function object<F extends Fields>(about: string, of: Struct<F>): Field<ValueOf<F>> {
  return field(of, about)
}

/** Exactly one trailing blob: bytes that never pass through the msgpack encoder. */
export function blob(about: string): Field<Uint8Array> {
  return field({ kind: 'blob', many: false }, about)
}

/** Any number of trailing blobs, in order. */
export function blobs(about: string): Field<readonly Uint8Array[]> {
  return field({ kind: 'blob', many: true }, about)
}

export type Struct<F extends Fields> = { readonly kind: 'struct'; readonly fields: F }

export function struct<F extends Fields>(fields: F): Struct<F> {
  return { kind: 'struct', fields }
}

// --- APIs ------------------------------------------------------------------------------------

export type AclOperation =
  | 'NONE'
  | 'READ'
  | 'WRITE'
  | 'CREATE'
  | 'DELETE'
  | 'ALTER'
  | 'DESCRIBE'
  | 'CLUSTER_ACTION'
  | 'DESCRIBE_CONFIGS'
  | 'ALTER_CONFIGS'
  | 'IDEMPOTENT_WRITE'
export type AclResource = 'NONE' | 'TOPIC' | 'GROUP' | 'CLUSTER' | 'TRANSACTIONAL_ID'

export type Api<Q extends Fields = Fields, S extends Fields = Fields> = {
  readonly name: string
  readonly key: number
  /** Lowest and highest version spoken, both included. */
  readonly versions: readonly [number, number]
  /** Who may ask: any client, or only brokers of the cluster. */
  readonly audience: 'client' | 'broker'
  readonly acl: { readonly operation: AclOperation; readonly resource: AclResource }
  readonly about: string
  readonly request: Struct<Q>
  readonly response: Struct<S>
  /** What a caller must be ready for, besides what every API may answer. */
  readonly errors: readonly ErrorName[]
}

export type RequestOf<A> = A extends Api<infer Q, infer _S> ? ValueOf<Q> : never
export type ResponseOf<A> = A extends Api<infer _Q, infer S> ? ValueOf<S> : never

export function defineApi<Q extends Fields, S extends Fields>(
  definition: Omit<Api, 'request' | 'response'> & { readonly request: Q; readonly response: S },
): Api<Q, S> {
  return {
    ...definition,
    request: struct(definition.request),
    response: struct(definition.response),
  }
}
