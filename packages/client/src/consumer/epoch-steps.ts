// Which leader epoch wrote what a reader has opened: a step for each election, and of those there are few.
// Enters: batches in their order. Leaves: the epoch of the record before an offset, for a commit (KIP-320).

type Step = { readonly fromOffset: number; readonly epoch: number }

/** More elections within what is in hand: the oldest are forgotten, and their epoch is not known. */
const STEPS_MAX = 16

export class EpochSteps {
  #steps: Step[] = []

  note(fromOffset: number, epoch: number): void {
    if (this.#steps.at(-1)?.epoch === epoch) return
    this.#steps.push({ fromOffset, epoch })
    if (this.#steps.length > STEPS_MAX) this.#steps.shift()
  }

  /** -1: not known. */
  before(offset: number): number {
    for (let index = this.#steps.length - 1; index >= 0; index--) {
      const step = this.#steps[index] as Step
      if (step.fromOffset < offset) return step.epoch
    }
    return -1
  }

  clear(): void {
    if (this.#steps.length > 0) this.#steps = []
  }
}
