// Room on the disk: below the reserve produce is refused, below twice the reserve retention runs early (REPLICATION 2.12.4).
import type { Env } from '@minikafka/platform'
import type { LiveConfig } from './config/index.ts'
import type { DataDirectory } from './log/index.ts'
import type { Partitions } from './partition/index.ts'

const RESERVE_SHARE = 0.05
const RESERVE_BYTES_MAX = 1024 ** 3

export class DiskSpace {
  readonly #env: Env
  readonly #directory: DataDirectory
  readonly #partitions: Partitions
  readonly #config: LiveConfig
  #state: 'enough' | 'low' | 'full' = 'enough'

  constructor(env: Env, directory: DataDirectory, partitions: Partitions, config: LiveConfig) {
    this.#env = env
    this.#directory = directory
    this.#partitions = partitions
    this.#config = config
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
