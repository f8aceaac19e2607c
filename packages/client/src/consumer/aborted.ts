// Which batches a reader must not see: control batches, and those of aborted transactions. One of these per answer.
// Source: KIP-98, Kafka's CompletedFetch.
import type { BatchReader } from '@minikafka/protocol'

export type AbortedRange = { readonly producerId: number; readonly firstOffset: number }

/** The key of a control record: its version and its type, an int16 each. */
const TYPE_POSITION = 2
const ABORT = 0

export class AbortedTransactions {
  /** In offset order. */
  readonly #ranges: readonly AbortedRange[]
  #begun = 0
  /** Producers whose transaction, as far as this reader has come, is aborted. */
  readonly #producers = new Set<number>()

  constructor(ranges: readonly AbortedRange[]) {
    this.#ranges = [...ranges].sort((a, b) => a.firstOffset - b.firstOffset)
  }

  /** Asked once for each batch, in offset order, before its first record is read. */
  hides(reader: BatchReader): boolean {
    const { control, transactional, producerId, lastOffset } = reader.header
    for (;;) {
      const range = this.#ranges[this.#begun]
      if (range === undefined || range.firstOffset > lastOffset) break
      this.#producers.add(range.producerId)
      this.#begun++
    }
    if (!control) return transactional && this.#producers.has(producerId)
    if (isAbortMarker(reader)) this.#producers.delete(producerId)
    return true
  }
}

function isAbortMarker(reader: BatchReader): boolean {
  if (!reader.next() || reader.keySize < TYPE_POSITION + 2) return false
  return reader.body.readInt16BE(reader.keyStart + TYPE_POSITION) === ABORT
}
