// One budget for all buffers: request frames, unsent answers, read buffers, the in-memory tail (ARCHITECTURE "Memory").
// Enters: charges and releases. Leaves: whether it is full, and a call when there is room again.
import type { MemoryAccount } from '@minikafka/protocol'

export class MemoryBudget implements MemoryAccount {
  readonly #bytesMax: number
  #bytes = 0
  readonly #waiting = new Set<() => void>()

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  get full(): boolean {
    return this.#bytes > this.#bytesMax
  }

  charge(bytes: number): void {
    this.#bytes += bytes
  }

  release(bytes: number): void {
    const wasFull = this.full
    this.#bytes -= bytes
    if (!wasFull || this.full) return
    for (const listener of [...this.#waiting]) listener()
  }

  onRoom(listener: () => void): () => void {
    this.#waiting.add(listener)
    return () => this.#waiting.delete(listener)
  }
}
