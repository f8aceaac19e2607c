// Room on the disk (REPLICATION 2.12.4): below twice the reserve it warns and retention runs early, below the reserve
// clients' batches are refused, below half of it all are. Enters: free bytes. Leaves: who may append.
import type { Env, Timer } from '@minikafka/platform'
import type { LiveConfig } from './config/index.ts'
import type { DataDirectory } from './log/index.ts'
import type { MetadataFollower } from './metadata.ts'
import type { Partitions, Space } from './partition/index.ts'

const RESERVE_SHARE = 0.05
const RESERVE_BYTES_MAX = 1024 ** 3
/** How often it looks while something is written or space is short, and otherwise: an idle broker sleeps. */
const CHECK_MS = 1_000
const CHECK_IDLE_MS = 10_000

const SAYINGS: Record<Space, string> = {
  enough: 'the disk has space again',
  low: 'the disk is getting full',
  full: 'the disk is nearly full: produce is refused until there is space',
  spent: 'the disk is full: nothing is appended until there is space',
}

export class DiskSpace {
  readonly #env: Env
  readonly #directory: DataDirectory
  readonly #partitions: Partitions
  readonly #follower: MetadataFollower
  readonly #config: LiveConfig
  #space: Space = 'enough'
  #timer: Timer | undefined
  /** A look is under way: whoever wants the next one waits for its end. */
  #looking = false
  #written = false
  #stopped = false

  constructor(
    env: Env,
    rooms: { directory: DataDirectory; partitions: Partitions; follower: MetadataFollower },
    config: LiveConfig,
  ) {
    this.#env = env
    this.#directory = rooms.directory
    this.#partitions = rooms.partitions
    this.#follower = rooms.follower
    this.#config = config
  }

  /** Looks now, and from then on by itself. */
  async start(): Promise<void> {
    this.#partitions.onWrite(() => this.#wrote())
    await this.#look()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  /** The first write after a look wakes it. */
  #wrote(): void {
    if (this.#written) return
    this.#written = true
    if (!this.#looking) this.#sleep()
  }

  /** Until the next look; one that was set before is forgotten. */
  #sleep(): void {
    this.#timer?.cancel()
    if (this.#stopped) return
    const isBusy = this.#written || this.#space !== 'enough'
    const delayMs = isBusy ? CHECK_MS : CHECK_IDLE_MS
    this.#timer = this.#env.clock.timer(delayMs, () => void this.#look())
  }

  async #look(): Promise<void> {
    this.#looking = true
    this.#written = false
    try {
      await this.#check()
    } finally {
      this.#looking = false
      this.#sleep()
    }
  }

  /** Looks at the disk and acts on what it finds; a disk that cannot be asked changes nothing. */
  async #check(): Promise<void> {
    let freeBytes: number
    let reserveBytes: number
    try {
      freeBytes = await this.#directory.freeBytes()
      reserveBytes = await this.#reserveBytes()
    } catch (error) {
      this.#env.logger.warn({ err: error }, 'the free space of the disk cannot be read')
      return
    }
    const before = this.#space
    const space = spaceOf(freeBytes, reserveBytes)
    this.#space = space
    this.#partitions.space = space
    if (space !== before) this.#tell(freeBytes, reserveBytes)
    const isFull = space === 'full' || space === 'spent'
    if (!isFull) this.#follower.goOn()
    if (isFull || (space === 'low' && before === 'enough')) await this.#partitions.applyRetention()
  }

  #tell(freeBytes: number, reserveBytes: number): void {
    const level = { enough: 'info', low: 'warn', full: 'error', spent: 'error' } as const
    this.#env.logger[level[this.#space]]({ freeBytes, reserveBytes }, SAYINGS[this.#space])
  }

  async #reserveBytes(): Promise<number> {
    const set = this.#config.values['disk.reserve.bytes']
    if (set !== -1) return set
    const share = Math.floor(RESERVE_SHARE * (await this.#directory.totalBytes()))
    return Math.min(share, RESERVE_BYTES_MAX)
  }
}

function spaceOf(freeBytes: number, reserveBytes: number): Space {
  if (freeBytes < reserveBytes / 2) return 'spent'
  if (freeBytes < reserveBytes) return 'full'
  return freeBytes < 2 * reserveBytes ? 'low' : 'enough'
}
