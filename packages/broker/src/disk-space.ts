// Room on the disk: below the reserve produce is refused, below twice the reserve retention runs early (REPLICATION 2.12.4).
import type { Env, Timer } from '@minikafka/platform'
import type { LiveConfig } from './config/index.ts'
import type { DataDirectory } from './log/index.ts'
import type { Partitions } from './partition/index.ts'

const RESERVE_SHARE = 0.05
const RESERVE_BYTES_MAX = 1024 ** 3
/** How often it looks while something is written or space is short, and otherwise: an idle broker sleeps. */
const CHECK_MS = 1_000
const CHECK_IDLE_MS = 10_000

export class DiskSpace {
  readonly #env: Env
  readonly #directory: DataDirectory
  readonly #partitions: Partitions
  readonly #config: LiveConfig
  #state: 'enough' | 'low' | 'full' = 'enough'
  #timer: Timer | undefined
  #written = false
  #stopped = false

  constructor(env: Env, directory: DataDirectory, partitions: Partitions, config: LiveConfig) {
    this.#env = env
    this.#directory = directory
    this.#partitions = partitions
    this.#config = config
  }

  /** Looks now, and from then on by itself. */
  async start(): Promise<void> {
    this.#partitions.onWrite(() => this.#wrote())
    await this.check()
    this.#sleep(CHECK_IDLE_MS)
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  /** The first write after a look wakes it. */
  #wrote(): void {
    if (this.#written || this.#stopped) return
    this.#written = true
    this.#timer?.cancel()
    this.#sleep(CHECK_MS)
  }

  #sleep(delayMs: number): void {
    if (!this.#stopped) this.#timer = this.#env.clock.timer(delayMs, () => void this.#look())
  }

  async #look(): Promise<void> {
    this.#written = false
    this.#timer = undefined
    await this.check()
    // A write during the check has set the timer already.
    if (!this.#written) this.#sleep(this.#state === 'enough' ? CHECK_IDLE_MS : CHECK_MS)
  }

  /** Looks at the disk and acts on what it finds; a disk that cannot be asked changes nothing. */
  async check(): Promise<void> {
    let freeBytes: number
    let reserveBytes: number
    try {
      freeBytes = await this.#directory.freeBytes()
      reserveBytes = await this.#reserveBytes()
    } catch (error) {
      this.#env.logger.warn({ err: error }, 'the free space of the disk cannot be read')
      return
    }
    const state =
      freeBytes < reserveBytes ? 'full' : freeBytes < 2 * reserveBytes ? 'low' : 'enough'
    this.#partitions.storageFull = state === 'full'
    if (state !== this.#state) this.#tell(state, freeBytes, reserveBytes)
    const worse = state !== 'enough' && this.#state === 'enough'
    this.#state = state
    if (worse || state === 'full') await this.#partitions.applyRetention()
  }

  #tell(state: 'enough' | 'low' | 'full', freeBytes: number, reserveBytes: number): void {
    const { logger } = this.#env
    const facts = { freeBytes, reserveBytes }
    if (state === 'full')
      logger.error(facts, 'the disk is nearly full: produce is refused until there is space')
    else if (state === 'low') logger.warn(facts, 'the disk is getting full')
    else logger.info(facts, 'the disk has space again')
  }

  async #reserveBytes(): Promise<number> {
    const set = this.#config.values['disk.reserve.bytes']
    if (set !== -1) return set
    return Math.min(RESERVE_SHARE * (await this.#directory.totalBytes()), RESERVE_BYTES_MAX)
  }
}
