// How the controller writes: one task at a time, each transaction compares the controller epoch (REPLICATION 2.9.1, 3.3).
// Enters: compares and operations. Leaves: a revision that this broker's own image shows already.
import { MinikafkaError } from '@minikafka/protocol'
import type { PartitionRewrite } from './broker-plans.ts'
import type { ClusterState } from './cluster-state.ts'
import { CONTROLLER_KEY, partitionKey } from './keys.ts'
import { type Cmp, type MetaStore, NotApplied, type Op, Unknown } from './meta-store.ts'
import { partitionCodec } from './values.ts'

/** Partitions in one transaction, so that compares and operations stay within 128 (REPLICATION 3.4). */
export const BATCH_MAX = 126
/** Transactions under way at once. */
const PIPELINED = 4
const ROUNDS_MAX = 1000

export class ControllerWrites {
  readonly #store: MetaStore
  readonly #state: ClusterState
  /** Create revision of `ctrl`, while it is ours. */
  epoch: number | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(store: MetaStore, state: ClusterState) {
    this.#store = store
    this.#state = state
  }

  /** After all tasks before it; between its steps nothing else is planned. Errors of the store become MinikafkaErrors. */
  enqueue<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#last.then(task).catch((error) => {
      throw translated(error)
    })
    this.#last = done.catch(() => undefined)
    return done
  }

  assertController(): void {
    if (this.epoch === undefined) throw notController(this.#state.controllerId)
  }

  /** `ok` false: a compare did not hold; the image shows what is there. Errors: NOT_CONTROLLER. */
  async commit(
    compares: readonly Cmp[],
    ops: readonly Op[],
  ): Promise<{ ok: boolean; rev: number }> {
    if (this.epoch === undefined) throw notController(this.#state.controllerId)
    const { ok, rev } = await this.#store.txn(
      [{ key: CONTROLLER_KEY, createRev: this.epoch }, ...compares],
      ops,
      [],
    )
    await this.#state.reached(rev)
    if (!ok && this.#state.image.controller?.epoch !== this.epoch) {
      this.epoch = undefined
      throw notController(this.#state.controllerId)
    }
    return { ok, rev }
  }

  /** As `commit`, where nobody but the controller writes: that a compare fails is a conflict with a person's hand. */
  async mustCommit(compares: readonly Cmp[], ops: readonly Op[]): Promise<number> {
    const { ok, rev } = await this.commit(compares, ops)
    if (!ok) {
      throw new MinikafkaError('REQUEST_TIMED_OUT', {
        message: 'the metadata changed meanwhile, nothing was done; try again',
        outcome: 'not-written',
      })
    }
    return rev
  }

  /** Rewrites what `plan` names until it names nothing; leaders change ISRs meanwhile, then it is planned anew. */
  async rewrite(plan: () => readonly PartitionRewrite[]): Promise<void> {
    let batchMax = BATCH_MAX
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const batches = chunks(plan(), batchMax)
      if (batches.length === 0) return
      for (const wave of chunks(batches, PIPELINED)) {
        const results = await Promise.all(wave.map((batch) => this.#rewriteBatch(batch)))
        if (results.every(({ ok }) => ok)) continue
        batchMax = Math.max(1, batchMax >> 1)
        break
      }
    }
    throw new MinikafkaError('UNKNOWN_SERVER_ERROR', {
      message: 'the partitions change faster than the controller can follow',
    })
  }

  #rewriteBatch(batch: readonly PartitionRewrite[]): Promise<{ ok: boolean; rev: number }> {
    const compares = batch.map(({ before }) => ({
      key: keyOf(before),
      modRev: before.partitionEpoch,
    }))
    const ops = batch.map(
      ({ before, after }): Op => ({
        op: 'put',
        key: keyOf(before),
        value: partitionCodec.encode(after),
      }),
    )
    return this.commit(compares, ops)
  }
}

export function chunks<T>(items: readonly T[], size: number): T[][] {
  const found: T[][] = []
  for (let start = 0; start < items.length; start += size)
    found.push(items.slice(start, start + size))
  return found
}

function keyOf({ topicId, partition }: PartitionRewrite['before']): string {
  return partitionKey(topicId, partition)
}

function notController(controllerId: number): MinikafkaError {
  const who =
    controllerId < 0
      ? 'no broker is controller right now'
      : `broker ${controllerId} is the controller`
  return new MinikafkaError('NOT_CONTROLLER', { message: `${who}: try again there` })
}

/** What the store's errors mean to who asked. */
function translated(error: unknown): unknown {
  if (error instanceof Unknown) {
    return new MinikafkaError(
      'REQUEST_TIMED_OUT',
      {
        message:
          'the metadata store did not say whether the change was made; look before you try again',
      },
      { cause: error },
    )
  }
  if (!(error instanceof NotApplied)) return error
  const options = { cause: error }
  switch (error.reason) {
    case 'no-space':
      return new MinikafkaError(
        'STORAGE_FULL',
        { message: `${error.message}. Free space, then try again` },
        options,
      )
    case 'busy':
      return new MinikafkaError('THROTTLING_QUOTA_EXCEEDED', { message: error.message }, options)
    case 'closed':
      return new MinikafkaError('CLOSED', { message: error.message }, options)
    case 'too-large':
      return new MinikafkaError('INVALID_REQUEST', { message: error.message }, options)
    default:
      return error
  }
}
