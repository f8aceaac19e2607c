// Who says which partitions are read: the consumer's own options, or the coordinator of its group.
import type { Deadline } from '../core/index.ts'

export type Assignment = {
  /** Begins, once; resolves when it is known which partitions are read first. Errors: what makes that impossible. */
  open(signal: AbortSignal): Promise<void>
  /** Ends, after the reader has: never rejects. `isInside`: one of its own hooks waits for it. */
  close(deadline: Deadline, options: CloseOptions): Promise<void>
}

export type CloseOptions = {
  /** Leave for good, or be back soon. undefined: for good, unless the member is a static one. */
  readonly leave: boolean | undefined
  /** Handlers and hooks that wait for the close themselves. */
  readonly closers: ReadonlySet<unknown>
}
