// One budget for all buffers: request frames, unsent answers, read buffers, the in-memory tail (ARCHITECTURE "Memory").
// Enters: charges and releases. Leaves: whether it is full, and a call when there is room again.
import type { MemoryAccount } from '@minikafka/protocol'

/** What holds memory only for speed, and gives way first: the in-memory tail. */
export type Yielding = { setTailBytesMax(bytes: number): void }

export class MemoryBudget implements MemoryAccount {
  readonly #bytesMax: number
  readonly #yielding: Yielding
  /** What the tail may hold while nobody else needs it. */
  readonly #tailBytesMax: number
  /** Charged by frames, answers and reads; the tail has what is left. */
  #bytes = 0
  #tailBytes: number
  readonly #waiting = new Set<() => void>()

  constructor(bytesMax: number, yielding: Yielding, tailBytesMax: number) {
    this.#bytesMax = bytesMax
    this.#yielding = yielding
    this.#tailBytesMax = tailBytesMax
    this.#tailBytes = tailBytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  get full(): boolean {
    return this.#bytes > this.#bytesMax
  }

  get free(): number {
    return Math.max(0, this.#bytesMax - this.#bytes)
  }

  charge(bytes: number): void {
    this.#bytes += bytes
    this.#shareWithTail()
  }

  release(bytes: number): void {
    const wasFull = this.full
    this.#bytes -= bytes
    this.#shareWithTail()
    if (!wasFull || this.full) return
    for (const listener of [...this.#waiting]) listener()
  }

  onRoom(listener: () => void): () => void {
    this.#waiting.add(listener)
    return () => this.#waiting.delete(listener)
  }

  #shareWithTail(): void {
    const tailBytes = Math.min(this.#tailBytesMax, Math.max(0, this.#bytesMax - this.#bytes))
    if (tailBytes === this.#tailBytes) return
    this.#tailBytes = tailBytes
    this.#yielding.setTailBytesMax(tailBytes)
  }
}
