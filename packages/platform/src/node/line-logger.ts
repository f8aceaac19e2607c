// A pino logger whose lines go to a function: how the simulated world records what was said, and when.
import { pino } from 'pino'
import type { Logger } from '../env.ts'

export type LineLoggerOptions = {
  readonly level: string
  /** Stamped on each line; the process's own clock is not asked. */
  readonly wallMs: () => number
  /** Gets one line of JSON with its newline, in the call. */
  readonly write: (line: string) => void
}

export function lineLogger({ level, wallMs, write }: LineLoggerOptions): Logger {
  return pino({ level, base: null, timestamp: () => `,"time":${wallMs()}` }, { write })
}
