// The codecs that come with the client. Enters: values. Leaves: bytes; and back.
import { decodeMsgpack, encodeMsgpack, MinikafkaError } from '@minikafka/protocol'
import type { Bytes } from '../words.ts'
import { type SlicingDecode, sliced, sliceOf, utf8Slice, viewOf } from './slice.ts'
import type {
  InferInput,
  InferOutput,
  SchemaIssue,
  SchemaResult,
  StandardSchema,
} from './standard-schema.ts'
import type { Codec } from './types.ts'

/** Bytes as they are. What comes out are views of the fetch response: copy what you keep. */
export function bytes(): Codec<Bytes, Buffer> {
  return { name: 'bytes', encode: (value) => value, decode: decodeBytes }
}

/** UTF-8 text. */
export function text(): Codec<string> {
  return { name: 'text', encode: (value) => value, decode: decodeText }
}

/** JSON. With a schema it is checked both ways: its input as it is sent, its output as it is handed out. */
export function json<S extends StandardSchema>(schema: S): Codec<InferInput<S>, InferOutput<S>>
/** JSON. Without a schema the type is a cast, nothing is checked. */
export function json<T>(): Codec<T>
export function json(schema?: StandardSchema): Codec<unknown> {
  return checked('json', schema, stringify, decodeJson)
}

/** MessagePack. With a schema it is checked both ways, as `json`. */
export function msgpack<S extends StandardSchema>(schema: S): Codec<InferInput<S>, InferOutput<S>>
export function msgpack<T>(): Codec<T>
export function msgpack(schema?: StandardSchema): Codec<unknown> {
  return checked('msgpack', schema, encodeMsgpack, sliced(decodeMsgpack, decodeMsgpackSlice))
}

/** Admits null: a tombstone. */
export function nullable<I, O>(codec: Codec<I, O>): Codec<I | null, O | null> {
  const { decode } = codec as { decode: SlicingDecode<O> }
  const inner: Codec<I, O> = {
    name: `nullable ${codec.name}`,
    nullable: true,
    encode: (value) => codec.encode(value),
    decode:
      decode.slice === undefined
        ? (view) => codec.decode(view)
        : sliced((view) => codec.decode(view), decode.slice),
  }
  return inner as Codec<I | null, O | null>
}

const decodeBytes = sliced((view: Buffer): Buffer => view, viewOf)
const decodeText = sliced((view: Buffer): string => utf8Slice(view, 0, view.length), utf8Slice)
const decodeJson = sliced(
  (view: Buffer): unknown => JSON.parse(utf8Slice(view, 0, view.length)),
  (body, start, end): unknown => JSON.parse(utf8Slice(body, start, end)),
)

function decodeMsgpackSlice(body: Buffer, start: number, end: number): unknown {
  return decodeMsgpack(viewOf(body, start, end))
}

function stringify(value: unknown): string {
  const encoded = JSON.stringify(value) as string | undefined
  if (encoded !== undefined) return encoded
  throw new TypeError(`JSON has no form for ${typeof value}`)
}

function checked(
  name: string,
  schema: StandardSchema | undefined,
  encode: (value: unknown) => Bytes,
  decode: SlicingDecode<unknown>,
): Codec<unknown> {
  if (schema === undefined) return { name, encode, decode }
  const { validate } = schema['~standard']
  const slice = sliceOf({ decode })
  return {
    name,
    // What is sent is what was given: a transform such as string to Date needs no inverse.
    encode: (value) => then(validate(value), (result) => encodeChecked(result, value, encode)),
    decode: sliced(
      (view) => then(validate(decode(view)), outputOf),
      (body, start, end) => then(validate(slice(body, start, end)), outputOf),
    ),
  }
}

function encodeChecked(
  result: SchemaResult<unknown>,
  value: unknown,
  encode: (value: unknown) => Bytes,
): Bytes {
  if (result.issues !== undefined) throw mismatch(result.issues)
  return encode(value)
}

function outputOf(result: SchemaResult<unknown>): unknown {
  if (result.issues !== undefined) throw mismatch(result.issues)
  return result.value
}

/** Goes on at once where it can: most schemas are synchronous. */
function then<T, R>(value: T | Promise<T>, next: (value: T) => R): R | Promise<R> {
  return value instanceof Promise ? value.then(next) : next(value)
}

function mismatch(issues: readonly SchemaIssue[]): MinikafkaError {
  const plain = issues.map(({ message, path }) => ({
    message,
    ...(path === undefined
      ? {}
      : { path: path.map((part) => (typeof part === 'object' ? part.key : part)) }),
  }))
  const shown = plain.map(({ message, path }) =>
    path?.length ? `${path.map(String).join('.')}: ${message}` : message,
  )
  return new MinikafkaError('SCHEMA_MISMATCH', {
    message: `the value does not fit the schema: ${shown.join('; ')}`,
    issues: plain,
  })
}
