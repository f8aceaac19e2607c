// The sequence numbers of one partition: by them the broker knows a retry, and a gap. Source: KIP-98, KIP-360.
import { assert } from '@minikafka/platform'
import { NO_STAMP, type ProducerStamp } from './batch.ts'
import type { Identity, ProducerEpoch } from './identity.ts'
import type { Window } from './window.ts'

/** After 2^31 - 1 comes 0. */
const SEQUENCES = 2 ** 31

export class Sequences {
  readonly #identity: Identity | undefined
  /** Of all batches that have a sequence; undefined before the first. */
  #epoch: ProducerEpoch | undefined
  #next = 0
  #lost = false

  /** Without an identity the producer is not idempotent: no batch has a sequence. */
  constructor(identity: Identity | undefined) {
    this.#identity = identity
  }

  /** A sequence will never be filled: the partition needs a new epoch. */
  get lost(): boolean {
    return this.#lost
  }

  get idempotent(): boolean {
    return this.#identity !== undefined
  }

  /** Nothing new can be sent without an epoch that is still to come. */
  get needsEpoch(): boolean {
    return this.idempotent && (this.#epoch === undefined || this.#lost)
  }

  lose(): void {
    this.#lost = this.idempotent
  }

  /** The stamp of the next batch, which has `records`. */
  take(records: number): ProducerStamp {
    if (this.#identity === undefined) return NO_STAMP
    this.#epoch ??= this.#identity.now()
    assert(this.#epoch !== undefined, 'batches are sealed once there is a producer id')
    const { producerId, epoch: producerEpoch } = this.#epoch
    const stamp = { producerId, producerEpoch, sequence: this.#next }
    this.#next = (this.#next + records) % SEQUENCES
    return stamp
  }

  /**
   * After a loss: begins the new epoch, once nothing of the old one is open any more, and stamps the batches that
   * were refused for certain. What may be in the log is never sent in another epoch (REPLICATION 2.10). Returns
   * whether the partition may go on; where not, it is asked again when a batch lands or an epoch arrives.
   */
  renew({ queue, inFlight }: Window): boolean {
    const settled = inFlight.every((batch) => batch.settled)
    if (!settled || queue.some((batch) => batch.isLent)) return false
    assert(
      !queue.some((batch) => batch.tainted),
      'batches of unknown outcome settle in their own epoch',
    )
    const former = this.#epoch
    const epoch = former === undefined ? undefined : this.#identity?.after(former)
    if (epoch === undefined) return false
    // What comes late in the former epoch is refused by the broker only under the same producer id.
    if (epoch.producerId !== former?.producerId && inFlight.length > 0) return false
    this.#epoch = epoch
    this.#next = 0
    this.#lost = false
    for (const batch of queue) if (batch.isSealed) batch.restamp(this.take(batch.recordCount))
    return true
  }
}
