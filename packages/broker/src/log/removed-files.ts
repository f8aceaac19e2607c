// Files that leave a log: they get another name at once, and go when nobody can be reading them any more.
// Enters: paths of segments that are out of the log. Leaves: nothing under these names; space, after file.delete.delay.ms.
import type { Timer } from '@minikafka/platform'
import type { LogHooks, LogHost } from './log-host.ts'
import type { LogState } from './log-state.ts'
import type { Segment } from './segment.ts'

/** Ends the names of a removed segment's files until they go for good, so that readers who hold them finish. */
export const DELETED_SUFFIX = '.deleted'

export class RemovedFiles {
  readonly #host: LogHost
  readonly #hooks: LogHooks
  readonly #state: LogState
  /** Files that wait for file.delete.delay.ms. */
  readonly #removals = new Set<Timer>()

  constructor(host: LogHost, hooks: LogHooks, state: LogState) {
    this.#host = host
    this.#hooks = hooks
    this.#state = state
  }

  /** Those of `paths`, files of `segment`, that are there; their new names are added to `renamed`. Errors: DiskError. */
  async renameAway(segment: Segment, paths: readonly string[], renamed: string[]): Promise<void> {
    const { env, files } = this.#host
    await segment.forgetIndexes()
    for (const path of paths) {
      files.drop(path)
      if ((await env.disk.stat(path)) === undefined) continue
      await env.disk.rename(path, path + DELETED_SUFFIX)
      renamed.push(path + DELETED_SUFFIX)
      // A reader may have opened it meanwhile: its descriptor must not stand for a file of that name to come.
      files.drop(path)
    }
  }

  /** Removes what was renamed when its delay is over. */
  later(renamed: readonly string[]): void {
    const { clock, disk } = this.#host.env
    const timer = clock.timer(this.#state.settings.deleteDelayMs, () => {
      this.#removals.delete(timer)
      Promise.all(renamed.map((path) => disk.removeFile(path))).catch((error: unknown) =>
        this.#hooks.warn(error, 'files of removed segments are left until the next start'),
      )
    })
    this.#removals.add(timer)
  }

  /** What still waits for its delay goes at the next start. */
  stop(): void {
    for (const timer of this.#removals) timer.cancel()
    this.#removals.clear()
  }
}
