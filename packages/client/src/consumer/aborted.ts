// Which batches a reader of committed records must not see: those of aborted transactions, and all control batches.
// Source: KIP-98, Kafka's CompletedFetch.
import { readBatchHeader } from '@minikafka/protocol'

export type AbortedRange = { readonly producerId: number; readonly firstOffset: number }

const ABORT = 0
/** The type of a control record stands in its key: version int16, type int16. Found behind the record's first varints. */
const CONTROL_KEY_TYPE_POSITION = 61 + 8

export class AbortedTransactions {
  /** Producers whose transaction, as far as this reader has come, is aborted. */
  readonly #open = new Set<number>()
  readonly #begun = new Set<string>()

  hides(batch: Uint8Array, aborted: readonly AbortedRange[]): boolean {
    const { control, transactional, producerId, lastOffset } = readBatchHeader(batch)
    for (const range of aborted) {
      const id = `${range.producerId}@${range.firstOffset}`
      if (range.firstOffset > lastOffset || this.#begun.has(id)) continue
      this.#begun.add(id)
      this.#open.add(range.producerId)
    }
    if (control) {
      if (markerType(batch) === ABORT) this.#open.delete(producerId)
      return true
    }
    return transactional && this.#open.has(producerId)
  }

  clear(): void {
    this.#open.clear()
    this.#begun.clear()
  }
}

function markerType(batch: Uint8Array): number {
  // Length, attributes, timestamp delta, offset delta, key length: one byte each in a marker; then version and type.
  return (
    ((batch[CONTROL_KEY_TYPE_POSITION - 1] ?? 0) << 8) | (batch[CONTROL_KEY_TYPE_POSITION] ?? 0)
  )
}
