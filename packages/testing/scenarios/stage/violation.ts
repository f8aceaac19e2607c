// What a run ends with when a promise was broken. Enters: which oracle saw it, and what it saw.

export class Violation extends Error {
  override name = 'Violation'
  /** As TESTING names it: I1-I12, an anomaly of the history checker, `liveness`, `leftover`, `crash`. */
  declare readonly oracle: string
  constructor(oracle: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.oracle = oracle
  }
}
