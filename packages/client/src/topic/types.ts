// What a topic's keys and values are: codecs, topics, and the types that follow from them.
import type { Bytes } from '../words.ts'

/**
 * Turns values into bytes and back. Never sees null: a null key or value is passed by it, unless it is `nullable`.
 *
 * `decode` gets a view: it holds the whole fetch response in memory, so what is kept should be copied.
 */
export type Codec<In, Out = In> = {
  readonly name: string
  encode(value: In): Bytes | Promise<Bytes>
  decode(bytes: Buffer): Out | Promise<Out>
  /** True: null is a value of this codec (a tombstone). */
  readonly nullable?: boolean | undefined
}

export type Topic<N extends string, KI, KO, VI, VO> = {
  readonly name: N
  readonly key: Codec<KI, KO>
  readonly value: Codec<VI, VO>
}

// biome-ignore lint/suspicious/noExplicitAny: a topic of any types.
export type TopicLike = string | Topic<string, any, any, any, any>

/** A topic split into its types. A string stands for bytes in and Buffers out. */
export type Parts<T> =
  T extends Topic<infer N, infer KI, infer KO, infer VI, infer VO>
    ? { name: N; keyIn: KI; keyOut: KO; valueIn: VI; valueOut: VO }
    : { name: string; keyIn: Bytes; keyOut: Buffer; valueIn: Bytes | null; valueOut: Buffer | null }

/** Order and duplicates are kept. A record of names, or pairs. */
export type HeadersInit =
  | Readonly<Record<string, Bytes | null>>
  | Iterable<readonly [string, Bytes | null]>

/** Order and duplicates kept; null is a value. */
export interface RecordHeaders extends Iterable<[string, Buffer | null]> {
  /** The first of that name; undefined: there is none. */
  get(name: string): Buffer | null | undefined
  getAll(name: string): (Buffer | null)[]
}
