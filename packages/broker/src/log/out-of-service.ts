// Directories that leave service: renamed by their identity at once, durably; deleted ones are removed after a delay.
// Enters: a partition's directory. Leaves: nothing under its old name, so that a new topic of that name begins empty.
import type { Env, Timer } from '@minikafka/platform'
import { Coalesced } from './coalesced.ts'
import { type OutOfService, outOfServiceKind, outOfServiceName } from './partition-key.ts'

export class OutOfServiceDirectories {
  readonly #env: Env
  readonly #root: string
  readonly #onError: (error: unknown) => void
  readonly #rootSync: Coalesced
  readonly #timers = new Set<Timer>()
  readonly #removing = new Set<Promise<void>>()

  constructor(env: Env, root: string, onError: (error: unknown) => void) {
    this.#env = env
    this.#root = root
    this.#onError = onError
    this.#rootSync = new Coalesced(() => env.disk.syncDirectory(root))
  }

  /** What was made or renamed in the data directory before the call survives. */
  syncRoot(): Promise<void> {
    return this.#rootSync.run()
  }

  /** Returns the new path. Errors: DiskError. Holds: the rename is durable. */
  async rename(
    directoryName: string,
    { topicId, partition }: { topicId: string; partition: number },
    why: OutOfService,
  ): Promise<string> {
    const path = `${this.#root}/${outOfServiceName(topicId, partition, why)}`
    await this.#env.disk.rename(`${this.#root}/${directoryName}`, path)
    await this.syncRoot()
    return path
  }

  removeLater(path: string, delayMs: number): void {
    const timer = this.#env.clock.timer(delayMs, () => {
      this.#timers.delete(timer)
      this.#remove(path)
    })
    this.#timers.add(timer)
  }

  /** At start: what the last run had no time for. */
  removeLeftovers(rootNames: readonly string[]): void {
    for (const name of rootNames) {
      if (outOfServiceKind(name) === 'delete') this.#remove(`${this.#root}/${name}`)
    }
  }

  /** What still waits goes at the next start; what is being removed is waited for. */
  async close(): Promise<void> {
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    await Promise.all(this.#removing)
  }

  #remove(path: string): void {
    const removing: Promise<void> = this.#env.disk
      .removeDirectory(path)
      .catch(this.#onError)
      .finally(() => this.#removing.delete(removing))
    this.#removing.add(removing)
  }
}
