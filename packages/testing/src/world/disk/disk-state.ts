// The disk of one node: it outlives the processes that use it. What can go wrong with it is switched here.
import type { Generator } from '../generator.ts'
import type { Ground } from '../ground.ts'
import { drawMs } from '../latency.ts'
import type { Process } from '../process.ts'
import { diskError, Tree } from './tree.ts'

const CAPACITY_BYTES = 2 ** 36

export class DiskState {
  readonly tree: Tree
  readonly dice: Generator
  /** Holder by path of the locked directory. */
  readonly locks = new Map<string, Process>()
  readonly #ground: Ground
  #capacityBytes = CAPACITY_BYTES
  /** What the files take; what is written to a file that has no name any more is counted, too. */
  #usedBytes = 0
  #failingSyncCount = 0
  #stalledUntilMs = 0

  constructor(ground: Ground, dice: Generator) {
    this.#ground = ground
    this.dice = dice
    this.tree = new Tree(ground.startWallMs)
    this.tree.makeDirectories('/tmp', ground.startWallMs)
  }

  get freeBytes(): number {
    return Math.max(0, this.#capacityBytes - this.#usedBytes)
  }

  get capacityBytes(): number {
    return this.#capacityBytes
  }

  /** Takes or gives back space. */
  take(bytes: number): void {
    this.#usedBytes += bytes
  }

  /** The disk is full but for `freeBytes`. */
  fill(freeBytes: number): void {
    this.#capacityBytes = this.#usedBytes + freeBytes
  }

  failSyncs(count: number): void {
    this.#failingSyncCount = count
  }

  stall(durationMs: number): void {
    this.#stalledUntilMs = this.#ground.scheduler.nowMs + durationMs
  }

  heal(): void {
    this.#capacityBytes = Math.max(CAPACITY_BYTES, this.#usedBytes)
    this.#failingSyncCount = 0
    this.#stalledUntilMs = 0
  }

  /** When an operation that begins now is done, in ms from now. */
  drawDelayMs(): number {
    const stalledMs = Math.max(0, this.#stalledUntilMs - this.#ground.scheduler.nowMs)
    return stalledMs + drawMs(this.#ground.diskLatency, this.dice)
  }

  get stalled(): boolean {
    return this.#stalledUntilMs > this.#ground.scheduler.nowMs
  }

  /** Called when a sync would return. */
  throwIfSyncFails(path: string): void {
    if (this.#failingSyncCount === 0) return
    this.#failingSyncCount--
    throw diskError('EIO', 'fdatasync', path)
  }

  powerCut(): void {
    this.tree.root.powerCut(this.dice)
    this.#usedBytes = this.tree.usedBytes()
    this.locks.clear()
  }
}
