// One large aligned read of a segment, whose bytes are handed out as views.
// Enters: a position and how much is wanted from there. Leaves: memory from the pool of the frames, held once.
import type { File } from '@minikafka/platform'
import type { FramePool } from '@minikafka/protocol'

const ALIGNMENT = 4096

export class SliceWindow {
  buffer: Buffer = Buffer.alloc(0)
  readonly #file: File
  readonly #frames: FramePool
  /** Whole batches end here. */
  readonly #end: number
  #start = 0

  constructor(file: File, end: number, frames: FramePool) {
    this.#file = file
    this.#frames = frames
    this.#end = end
  }

  /** Bytes of whole batches from `position` on that are in the buffer. */
  ready(position: number): number {
    const filledTo = Math.min(this.#start + this.buffer.length, this.#end)
    return position < this.#start ? 0 : Math.max(0, filledTo - position)
  }

  /** Where in `buffer` the bytes at `position` stand, which are ready. */
  at(position: number): number {
    return position - this.#start
  }

  /**
   * Where in `buffer` the bytes at `position` stand; reads `wanted` bytes from there where `size` are not there yet.
   *
   * Errors  DiskError; undefined where the file is shorter than what was written to it.
   */
  async need(position: number, size: number, wanted: number): Promise<number | undefined> {
    if (this.ready(position) < size) await this.#read(position, Math.max(size, wanted))
    return this.ready(position) >= size ? this.at(position) : undefined
  }

  async #read(position: number, wanted: number): Promise<void> {
    const start = position - (position % ALIGNMENT)
    const end = Math.min(position + wanted, this.#end)
    const buffer = this.#frames.take(end - start)
    const read = await this.#file.read(buffer, start)
    // Nobody was given views of what was read before.
    this.#frames.letGo(this.buffer.buffer)
    // What was not filled may hold anything (SECURITY, Node specifics).
    this.buffer = buffer.subarray(0, read)
    this.#start = start
  }
}
