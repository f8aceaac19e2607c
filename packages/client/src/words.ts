// The words that all parts of the client share: bytes, waits, partitions, what has a lifetime.

/** A string means its UTF-8. */
export type Bytes = Uint8Array | string

/** Every wait takes these: it rejects with `signal.reason`, or with TIMED_OUT after `timeoutMs`. */
export type Wait = {
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number | undefined
}

export type Done = Promise<void>

export type TopicPartition = { readonly topic: string; readonly partition: number }

export type Partitions = readonly TopicPartition[]

/** What Kafka commits: the offset of the next record to read. */
export type NextOffset = TopicPartition & { readonly nextOffset: number }

export type PartitionLag = TopicPartition & {
  /** Undefined without a group. */
  readonly committed: number | undefined
  readonly end: number
  /** Records between what was handed out (in a group: committed) and the end. */
  readonly lag: number
  /** Now minus the timestamp of the first unread record; undefined where there is none, or it cannot be read. */
  readonly lagMs: number | undefined
}

/** A point of a partition. `{ last: n }`: n records before the end; a time that nothing reaches: the end. */
export type OffsetSpec =
  | number
  | 'earliest'
  | 'latest'
  | { readonly timestamp: number }
  | { readonly last: number }

export interface Closable extends AsyncDisposable {
  /** Idempotent, bounded (30 s by default), and never rejects because something is open. */
  close(wait?: Wait): Done
}

export interface Emitter<E> {
  /** Returns the function that stops listening. */
  on<K extends keyof E>(event: K, listener: (data: E[K]) => void): () => void
}
