// What one connection holds of the memory budget. Enters: charges and releases. Leaves: how much more it may take.
//
// It may hold an eighth of what is free. The more there are that hold much, the less each may have, and there is
// always something left for those who hold little: nobody can use the budget up for the others (Choudhury and Hahne,
// Dynamic Queue Length Thresholds, 1998). N connections that want all there is leave 8/(N+8) of it free.
import type { FrameMemory } from './frame-reader.ts'
import type { CallMemory, MemoryAccount } from './service.ts'

const SHARE = 8

export class Holding implements FrameMemory {
  readonly #memory: MemoryAccount
  readonly #released: () => void
  #bytes = 0

  /** `released` is called each time that it gave something back. */
  constructor(memory: MemoryAccount, released: () => void) {
    this.#memory = memory
    this.#released = released
  }

  get room(): number {
    return Math.max(0, Math.floor(this.#memory.free / SHARE) - this.#bytes)
  }

  charge(bytes: number): void {
    this.#bytes += bytes
    this.#memory.charge(bytes)
  }

  release(bytes: number): void {
    this.#bytes -= bytes
    this.#memory.release(bytes)
    this.#released()
  }
}

/** What one call takes of it. */
export class CallHolding implements CallMemory {
  readonly #holding: CallMemory
  #bytes = 0

  constructor(holding: CallMemory) {
    this.#holding = holding
  }

  get room(): number {
    return this.#holding.room
  }

  charge(bytes: number): void {
    this.#bytes += bytes
    this.#holding.charge(bytes)
  }

  release(bytes: number): void {
    this.#bytes -= bytes
    this.#holding.release(bytes)
  }

  releaseAll(): void {
    if (this.#bytes !== 0) this.release(this.#bytes)
  }
}
