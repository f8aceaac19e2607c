// The language of the store's values: compact JSON objects with a version `v`, short names, checked field by field.
// Enters: text from the store. Leaves: a readonly value that remembers the fields it does not know (SECURITY row 63).
import { MinikafkaError } from '@minikafka/protocol'

/** Version of all values; raised only by a change that an older reader may not ignore. */
const VALUE_VERSION = 1

/** A field: its name in the JSON, how it is checked, and what an absent one means. */
export type Field<T> = {
  readonly json: string
  /** The value, or undefined where the JSON is not what it should be. */
  readonly read: (json: unknown) => T | undefined
  readonly write: (value: T) => unknown
  /** What an absent field means; without it the field must be there. */
  readonly absent?: { readonly value: T }
}

// biome-ignore lint/suspicious/noExplicitAny: a table of fields holds fields of every type.
export type Fields = { readonly [name: string]: Field<any> }

/** What every decoded value carries besides its fields; a value made anew may lack both. */
export type Remembered = {
  /** Fields that this version does not know; they are written back as they were. */
  readonly rest?: ReadonlyMap<string, unknown>
  /** `v` where it is above ours: such a value may be read, never written. */
  readonly newerVersion?: number
}

export type ValueOf<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never
} & Remembered

export type ValueCodec<V> = {
  readonly encode: (value: V) => string
  /** Throws MalformedValue. */
  readonly decode: (text: string) => V
}

/** What stands in the store is not what its key promises: somebody else wrote it, or it rotted. */
export class MalformedValue extends Error {
  override name = 'MalformedValue'
}

export function defineValue<const F extends Fields>(fields: F): ValueCodec<ValueOf<F>> {
  return {
    encode: (value) => encode(fields, value),
    decode: (text) => decode(fields, text) as ValueOf<F>,
  }
}

function encode(fields: Fields, value: Remembered & { readonly [name: string]: unknown }): string {
  if (value.newerVersion !== undefined) {
    throw new MinikafkaError('UNSUPPORTED_VERSION', {
      message:
        `the metadata holds values of version ${value.newerVersion}, this broker writes version ` +
        `${VALUE_VERSION}: they are left alone. Upgrade this broker.`,
    })
  }
  const pairs: [string, unknown][] = [['v', VALUE_VERSION]]
  for (const [name, field] of Object.entries(fields)) {
    const written = field.write(value[name])
    if (written !== undefined) pairs.push([field.json, written])
  }
  // fromEntries defines own properties: a field named __proto__ stays a field.
  return JSON.stringify(Object.fromEntries([...pairs, ...(value.rest ?? [])]))
}

function decode(fields: Fields, text: string): object {
  const given = parseObject(text)
  const version = given.get('v')
  if (!Number.isSafeInteger(version) || (version as number) < 1) {
    throw new MalformedValue('field v: expected a version')
  }
  given.delete('v')
  const pairs: [string, unknown][] = []
  for (const [name, field] of Object.entries(fields)) {
    pairs.push([name, readField(field, given)])
    given.delete(field.json)
  }
  if (given.size > 0) pairs.push(['rest', given])
  if ((version as number) > VALUE_VERSION) pairs.push(['newerVersion', version])
  return Object.freeze(Object.fromEntries(pairs))
}

function readField(field: Field<unknown>, given: ReadonlyMap<string, unknown>): unknown {
  if (!given.has(field.json)) {
    if (field.absent) return field.absent.value
    throw new MalformedValue(`field ${field.json} is missing`)
  }
  const value = field.read(given.get(field.json))
  if (value === undefined) throw new MalformedValue(`field ${field.json} is not what it should be`)
  return value
}

function parseObject(text: string): Map<string, unknown> {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw new MalformedValue('not JSON', { cause: error })
  }
  const pairs = pairsOf(parsed)
  if (pairs === undefined) throw new MalformedValue('not an object')
  return new Map(pairs)
}

function pairsOf(json: unknown): [string, unknown][] | undefined {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined
  return Object.entries(json)
}

// --- kinds of fields -----------------------------------------------------------------------------

export function text(json: string): Field<string> {
  return { json, read: (value) => (typeof value === 'string' ? value : undefined), write: same }
}

/** A safe integer of at least `min`. */
export function integer(json: string, min = 0): Field<number> {
  const read = (value: unknown) =>
    Number.isSafeInteger(value) && (value as number) >= min ? (value as number) : undefined
  return { json, read, write: same }
}

export function oneOf<const T extends string>(json: string, choices: readonly T[]): Field<T> {
  return { json, read: (value) => choices.find((choice) => choice === value), write: same }
}

/** Written only where it is true. */
export function flag(json: string): Field<boolean> {
  return {
    json,
    read: (value) => (typeof value === 'boolean' ? value : undefined),
    write: (value) => value || undefined,
    absent: { value: false },
  }
}

/** Not written where it is undefined. */
export function optional<T>(field: Field<T>): Field<T | undefined> {
  return {
    json: field.json,
    read: field.read,
    write: (value) => (value === undefined ? undefined : field.write(value)),
    absent: { value: undefined },
  }
}

/** A list of broker ids; absent and empty are the same, and not written. */
export function brokerIds(json: string): Field<readonly number[]> {
  return {
    json,
    read: (value) => (Array.isArray(value) && value.every(isBrokerId) ? value : undefined),
    write: (value) => (value.length === 0 ? undefined : value),
    absent: { value: [] },
  }
}

export function texts(json: string): Field<readonly string[]> {
  const isText = (value: unknown) => typeof value === 'string'
  return {
    json,
    read: (value) => (Array.isArray(value) && value.every(isText) ? value : undefined),
    write: same,
  }
}

/** A JSON object as a map: any name may be a key. */
export function map<T>(
  json: string,
  one: (value: unknown) => T | undefined,
): Field<ReadonlyMap<string, T>> {
  return {
    json,
    read: (value) => {
      const pairs = pairsOf(value)?.map(([name, item]) => [name, one(item)] as const)
      if (pairs === undefined || pairs.some(([, item]) => item === undefined)) return undefined
      return new Map(pairs as [string, T][])
    },
    write: (value) => Object.fromEntries(value),
  }
}

function isBrokerId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 2 ** 31 - 1
}

function same<T>(value: T): T {
  return value
}
