// What a recording holds while it goes on: sends and polls, each with its beginning and its end.

/** Of one record. */
export type SentEntry = {
  readonly kind: 'sent'
  readonly process: number
  readonly id: number
  readonly topic: string
  readonly plain: boolean
  /** Undefined while its schema is at work, and for good where that refuses it. */
  content: string | undefined
  readonly began: Moment
  ended: Moment | undefined
  outcome: 'ok' | 'fail' | 'info'
  partition: number | undefined
  offset: number | undefined
}

/** Records that one consumer was handed, some at a time. */
export type PolledEntry = {
  readonly kind: 'polled'
  readonly process: number
  readonly began: Moment
  ended: Moment
  readonly partitions: Map<string, PolledPartition>
  recordCount: number
  /** Handed out in no order. */
  readonly unordered: boolean
  /** The topic that was read from its first record to its last, by somebody who has no place of his own. */
  readonly whole: string | undefined
}

export type PolledPartition = {
  readonly topic: string
  readonly partition: number
  readonly records: { readonly offset: number; readonly value: string }[]
}

/** A consumer goes on elsewhere in these partitions. */
export type MovedEntry = {
  readonly kind: 'moved'
  readonly process: number
  readonly began: Moment
  readonly partitions: readonly string[]
}

export type Entry = SentEntry | PolledEntry | MovedEntry

/** Its place in the recording, and the clock's word. */
export type Moment = { readonly order: number; readonly timeMs: number }

export function partitionName(topic: string, partition: number | undefined): string {
  return `${topic}-${partition ?? '?'}`
}
