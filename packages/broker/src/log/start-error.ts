// Why a data directory cannot be used now. Enters: an exit code of CLIENT 6.4 and a sentence. Leaves: to the bin, as its last line.

/** Exit codes of `minikafka-broker` (CLIENT 6.4) that a data directory may cause. */
export const EXIT = {
  /** Locked by another process: it may work later. */
  unavailable: 69,
  /** Unreadable, unwritable, damaged. */
  io: 74,
  /** Of another node, cluster or format version. */
  foreign: 78,
} as const

export class StartError extends Error {
  override name = 'StartError'
  declare readonly exitCode: number
  declare readonly path: string
  constructor(exitCode: number, path: string, message: string, options?: ErrorOptions) {
    super(`${path}: ${message}`, options)
    this.exitCode = exitCode
    this.path = path
  }
}
