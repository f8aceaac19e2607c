// What became of one batch: its offsets, or why it was refused, and whether it may be in the log all the same.
import type { ErrorName } from '@minikafka/protocol'

/** `written`: 0 = not in the log and never will be, 1 = it may be (REPLICATION 2.2). */
export type Appended = {
  readonly error: ErrorName | 'NONE'
  readonly message: string | null
  readonly written: 0 | 1
  readonly baseOffset: number
  readonly logAppendTimeMs: number
}

export type Acks = -1 | 0 | 1

export function succeeded(baseOffset: number, logAppendTimeMs: number): Appended {
  return { error: 'NONE', message: null, written: 1, baseOffset, logAppendTimeMs }
}

export function definite(error: ErrorName, message: string): Appended {
  return { error, message, written: 0, baseOffset: -1, logAppendTimeMs: -1 }
}

export function ambiguous(error: ErrorName, message: string): Appended {
  return { error, message, written: 1, baseOffset: -1, logAppendTimeMs: -1 }
}
