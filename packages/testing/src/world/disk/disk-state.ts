// The disk of one node: it outlives the processes that use it. What can go wrong with it is switched here.
import type { Generator } from '../generator.ts'
import type { Ground } from '../ground.ts'
import { drawMs } from '../latency.ts'
import type { NodeClock } from '../node-clock.ts'
import type { Process } from '../process.ts'
import { ArmedFault } from './armed-fault.ts'
import type { FileImage } from './file-image.ts'
import { diskError, Tree } from './tree.ts'

const CAPACITY_BYTES = 2 ** 36
/** What a new directory takes. */
const BLOCK_BYTES = 4096

/** Where a write lands instead. */
type Elsewhere = { readonly image: FileImage; readonly position: number }

export type FullCode = 'ENOSPC' | 'EDQUOT'

export class DiskState {
  readonly tree: Tree
  readonly dice: Generator
  /** Files are stamped by the clock of their node. */
  readonly clock: NodeClock
  /** Holder by path of the locked directory. */
  readonly locks = new Map<string, Process>()
  readonly failingFileSyncs = new ArmedFault()
  readonly failingDirectorySyncs = new ArmedFault()
  readonly failingWrites = new ArmedFault()
  readonly failingReads = new ArmedFault()
  /** Names that a failed sync marked as written: only a mount shows that they are not. */
  namesLost = false
  readonly #ground: Ground
  /** By the file that is written to. */
  readonly #misdirected = new Map<FileImage, Elsewhere>()
  #capacityBytes = CAPACITY_BYTES
  #fullCode: FullCode = 'ENOSPC'
  /** What the files take; what is written to a file that has no name any more is counted, too. */
  #usedBytes = 0
  #stalledUntilMs = 0

  constructor(ground: Ground, clock: NodeClock, dice: Generator) {
    this.#ground = ground
    this.clock = clock
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

  get fullCode(): FullCode {
    return this.#fullCode
  }

  /** Takes or gives back space. */
  take(bytes: number): void {
    this.#usedBytes += bytes
  }

  /** The disk is full but for `freeBytes`, or the quota is used up. */
  fill(freeBytes: number, code: FullCode): void {
    this.#capacityBytes = this.#usedBytes + freeBytes
    this.#fullCode = code
  }

  throwIfNoRoomForDirectory(path: string): void {
    if (this.freeBytes < BLOCK_BYTES) throw diskError(this.#fullCode, 'mkdir', path)
  }

  stall(durationMs: number): void {
    this.#stalledUntilMs = this.#ground.scheduler.nowMs + durationMs
  }

  misdirect(from: FileImage, to: Elsewhere): void {
    this.#misdirected.set(from, to)
  }

  /** Where the next write to `image` lands instead; once. */
  takeMisdirection(image: FileImage): Elsewhere | undefined {
    const elsewhere = this.#misdirected.get(image)
    this.#misdirected.delete(image)
    return elsewhere
  }

  heal(): void {
    this.#capacityBytes = Math.max(CAPACITY_BYTES, this.#usedBytes)
    this.#stalledUntilMs = 0
    this.#misdirected.clear()
    this.failingFileSyncs.disarm()
    this.failingDirectorySyncs.disarm()
    this.failingWrites.disarm()
    this.failingReads.disarm()
  }

  /** When an operation that begins now is done, in ms from now. */
  drawDelayMs(): number {
    const stalledMs = Math.max(0, this.#stalledUntilMs - this.#ground.scheduler.nowMs)
    return stalledMs + drawMs(this.#ground.diskLatency, this.dice)
  }

  get stalled(): boolean {
    return this.#stalledUntilMs > this.#ground.scheduler.nowMs
  }

  powerCut(): void {
    this.tree.root.powerCut(this.dice)
    this.recount()
    this.namesLost = false
    this.locks.clear()
  }

  /** Files came or went without a process that took or gave their space. */
  recount(): void {
    this.#usedBytes = this.tree.usedBytes()
  }
}
