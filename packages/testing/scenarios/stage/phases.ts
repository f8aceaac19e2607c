// How far a run has got: faults rage (safety), then all is healed (liveness). Source: TESTING, "Two phases".

export class Phases {
  #isHealing = false
  #resolve: () => void = () => {}
  /** Resolves when the faults are over. */
  readonly healed: Promise<void> = new Promise((resolve) => {
    this.#resolve = resolve
  })

  readonly isHealing = (): boolean => this.#isHealing

  heal(): void {
    this.#isHealing = true
    this.#resolve()
  }
}
