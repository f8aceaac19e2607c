// What a history is made of: what clients asked for and what they were told, in the order in which it happened.
// The words are those of Jepsen's Kafka tests (jepsen.tests.kafka).

/** Topic and number, as `orders-0`. */
export type Partition = string

/** What tells records apart. Within one partition no two sends have the same. */
export type Value = string | number

export type Polled = { readonly offset: number; readonly value: Value }

export type Step =
  | { readonly send: Partition; readonly value: Value; readonly offset?: number | undefined }
  | { readonly poll: Partition; readonly records: readonly Polled[] }

/**
 * An `invoke`, or how it came out. `fail`: it did not happen and never will (a send whose every attempt was definitely
 * refused). `info`: anything doubtful. What was invoked and never came out counts as `info`. An outcome without an
 * `invoke` before it stands for both. The steps of the outcome replace those of the `invoke`.
 */
export type Operation = {
  /** One client: its sends to a partition, and its polls, are in order. */
  readonly process: number
  /** Never falls along the history; only its measures use it. */
  readonly timeMs: number
  readonly type: 'invoke' | 'ok' | 'fail' | 'info'
  /** `assign`, `subscribe`: from here on `rebalanced` partitions are read from anywhere. `crash`: all are. */
  readonly call: 'send' | 'poll' | 'transaction' | 'assign' | 'subscribe' | 'commit' | 'crash'
  readonly steps: readonly Step[]
  /** Partitions that moved during the operation. */
  readonly rebalanced?: readonly Partition[] | undefined
  /** Tells apart operations of a process that overlap. Left out: it has one at a time. */
  readonly id?: number | undefined
  /** Sent without idempotence: may be there twice, and in another order. */
  readonly plain?: boolean | undefined
  /** A poll that read all of its partitions, first to last, after everything else: what it lacks is lost. */
  readonly final?: boolean | undefined
}
