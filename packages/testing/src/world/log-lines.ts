// What the processes of a world logged, with the virtual time of each line. Old lines give way.
import type { RunningHash } from './running-hash.ts'

export type LogLine = {
  /** Milliseconds since the world began. */
  readonly atMs: number
  readonly node: string
  /** One line of JSON, as pino wrote it. */
  readonly text: string
}

const LINES_MAX = 20_000

export class LogLines {
  readonly #hash: RunningHash
  #lines: LogLine[] = []

  constructor(hash: RunningHash) {
    this.#hash = hash
  }

  add(line: LogLine): void {
    this.#hash.bytes(Buffer.from(line.text))
    this.#lines.push(line)
    if (this.#lines.length >= 2 * LINES_MAX) this.#lines = this.#lines.slice(-LINES_MAX)
  }

  /** In order of time. */
  list(): readonly LogLine[] {
    return this.#lines.slice(-LINES_MAX)
  }
}
