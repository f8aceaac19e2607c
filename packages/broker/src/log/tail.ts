// The newest batches of all partitions in memory: who keeps up is served from here, synchronously, without the disk.
// Enters: batches that were just written. Leaves: views of them. One LRU over all partitions, bounded in bytes.
import { assert } from '@minikafka/platform'
import type { FramePool } from '@minikafka/protocol'
import type { LogSlice } from './log-types.ts'

/** Batches up to this size that must be copied share a chunk, so that neighbours are read as one view. */
const SMALL_SIZE_MAX = 8 * 1024
const CHUNK_SIZE = 64 * 1024
/** Buffers of one slice: a gather write of the answer takes a few hundred at most (IOV_MAX is 1,024). */
const SLICE_BUFFERS_MAX = 128

type Owner = { count: number }

export class Tail {
  #bytesMax: number
  readonly #frames: FramePool
  /** Sum of the sizes of all ArrayBuffers that a kept batch lies in. */
  #bytes = 0
  /** Each ArrayBuffer is charged once, whole, however many batches lie in it. */
  readonly #owners = new Map<ArrayBufferLike, Owner>()
  /** In order of use, the partition used longest ago first: it gives its oldest batch. */
  readonly #logs = new Set<LogTail>()
  #chunk: Buffer | undefined
  #chunkUsed = 0

  /** It holds in `frames` what it keeps by reference. */
  constructor(bytesMax: number, frames: FramePool) {
    this.#bytesMax = bytesMax
    this.#frames = frames
  }

  get bytes(): number {
    return this.#bytes
  }

  setBytesMax(bytesMax: number): void {
    this.#bytesMax = bytesMax
    this.#evict()
  }

  /**
   * Keeps one batch that follows the last one of `log`.
   *
   * Shape   `batch`: given; kept by reference, or copied where it is under half of its ArrayBuffer.
   */
  append(log: LogTail, batch: Uint8Array, baseOffset: number, nextOffset: number): void {
    const copied = batch.byteLength * 2 < batch.buffer.byteLength
    const charged = copied ? batch.byteLength : batch.buffer.byteLength
    if (charged > this.#bytesMax) {
      this.clear(log)
      return
    }
    const kept = copied ? this.#copy(batch) : batch
    log.push(kept, baseOffset, nextOffset)
    this.#charge(kept.buffer)
    this.touch(log)
    if (this.#bytes > this.#bytesMax) this.#evict()
  }

  touch(log: LogTail): void {
    this.#logs.delete(log)
    this.#logs.add(log)
  }

  /** Forgets what `log` keeps: it is closed, or its directory failed. */
  clear(log: LogTail): void {
    while (!log.empty) this.#release(log.shift())
    this.#logs.delete(log)
  }

  /** Forgets all batches that end at or before `offset`: they were compacted, and the files say what is left of them. */
  dropBelow(log: LogTail, offset: number): void {
    while (!log.empty && log.firstEndOffset <= offset) this.#release(log.shift())
    if (log.empty) this.#logs.delete(log)
  }

  /** Forgets all batches that reach to `offset` or beyond: the log was cut. */
  cut(log: LogTail, offset: number): void {
    while (!log.empty && log.endOffset > offset) this.#release(log.pop())
    if (log.empty) this.#logs.delete(log)
  }

  #copy(batch: Uint8Array): Uint8Array {
    if (batch.byteLength > SMALL_SIZE_MAX) {
      const own = Buffer.allocUnsafeSlow(batch.byteLength)
      own.set(batch)
      return own
    }
    if (this.#chunk === undefined || this.#chunkUsed + batch.byteLength > CHUNK_SIZE) {
      this.#chunk = Buffer.allocUnsafeSlow(CHUNK_SIZE)
      this.#chunkUsed = 0
    }
    const start = this.#chunkUsed
    this.#chunk.set(batch, start)
    this.#chunkUsed += batch.byteLength
    return this.#chunk.subarray(start, this.#chunkUsed)
  }

  #charge(buffer: ArrayBufferLike): void {
    const owner = this.#owners.get(buffer)
    if (owner !== undefined) {
      owner.count++
      return
    }
    this.#owners.set(buffer, { count: 1 })
    this.#frames.hold(buffer)
    this.#bytes += buffer.byteLength
  }

  #release(batch: Uint8Array): void {
    const owner = this.#owners.get(batch.buffer)
    assert(owner !== undefined, 'a kept batch was charged')
    owner.count--
    if (owner.count > 0) return
    this.#owners.delete(batch.buffer)
    this.#bytes -= batch.buffer.byteLength
    this.#frames.letGo(batch.buffer)
    // Nothing lies in the current chunk any more: the next small batch begins a new one, charged anew.
    if (this.#chunk?.buffer === batch.buffer) this.#chunk = undefined
  }

  #evict(): void {
    for (const log of this.#logs) {
      while (!log.empty) {
        if (this.#bytes <= this.#bytesMax) return
        this.#release(log.shift())
      }
      this.#logs.delete(log)
    }
  }
}

/** What the tail keeps of one log. Invariant: contiguous, and it ends where the log ends. */
export class LogTail {
  #batches: Uint8Array[] = []
  #baseOffsets: number[] = []
  /** Slots before it are spent. */
  #head = 0
  #endOffset = 0

  get empty(): boolean {
    return this.#head === this.#batches.length
  }

  /** First offset kept; nothing is kept where it is not below endOffset. */
  get startOffset(): number {
    return this.#baseOffsets[this.#head] ?? this.#endOffset
  }

  /** Where the first batch kept ends. */
  get firstEndOffset(): number {
    return this.#baseOffsets[this.#head + 1] ?? this.#endOffset
  }

  get endOffset(): number {
    return this.#endOffset
  }

  push(batch: Uint8Array, baseOffset: number, nextOffset: number): void {
    assert(this.empty || baseOffset === this.#endOffset, 'a batch continues the tail')
    this.#batches.push(batch)
    this.#baseOffsets.push(baseOffset)
    this.#endOffset = nextOffset
  }

  /** Takes the oldest batch away. */
  shift(): Uint8Array {
    const batch = this.#batches[this.#head] as Uint8Array
    // The slot must not keep the bytes alive until the arrays are shortened.
    this.#batches[this.#head] = EMPTY
    this.#head++
    if (this.#head * 2 > this.#batches.length && (this.#head > 1024 || this.empty)) {
      this.#batches = this.#batches.slice(this.#head)
      this.#baseOffsets = this.#baseOffsets.slice(this.#head)
      this.#head = 0
    }
    return batch
  }

  /** Takes the newest batch away. */
  pop(): Uint8Array {
    const batch = this.#batches.pop() as Uint8Array
    this.#endOffset = this.#baseOffsets.pop() as number
    return batch
  }

  /** As `Log.read`; undefined where `from` is not kept. */
  read(from: number, below: number, bytesMax: number, firstWhole: boolean): LogSlice | undefined {
    if (from >= this.#endOffset || from < this.startOffset) return undefined
    const views = new Views()
    let nextOffset = from
    const count = this.#batches.length
    for (let index = this.#indexOf(from); index < count; index++) {
      const batch = this.#batches[index] as Uint8Array
      const batchEnd = this.#baseOffsets[index + 1] ?? this.#endOffset
      if (batchEnd > below) break
      const tooMuch = views.bytes + batch.byteLength > bytesMax
      if (tooMuch && !(views.bytes === 0 && firstWhole)) break
      if (!views.add(batch)) break
      nextOffset = batchEnd
    }
    return { buffers: views.take(), bytes: views.bytes, nextOffset }
  }

  /** Index of the batch that holds `offset`. */
  #indexOf(offset: number): number {
    let low = this.#head
    let high = this.#baseOffsets.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.#baseOffsets[middle] as number) <= offset) low = middle
      else high = middle - 1
    }
    return low
  }
}

const EMPTY = new Uint8Array(0)

/** Gathers batches; those that lie side by side in one ArrayBuffer become one view. */
class Views {
  bytes = 0
  readonly #done: Uint8Array[] = []
  #buffer: ArrayBufferLike | undefined
  #start = 0
  #end = 0

  /** False: full, the batch was not taken. */
  add(batch: Uint8Array): boolean {
    const adjoins = batch.buffer === this.#buffer && batch.byteOffset === this.#end
    if (!adjoins) {
      if (this.#done.length === SLICE_BUFFERS_MAX - 1) return false
      this.#finish()
      this.#buffer = batch.buffer
      this.#start = batch.byteOffset
    }
    this.#end = batch.byteOffset + batch.byteLength
    this.bytes += batch.byteLength
    return true
  }

  take(): readonly Uint8Array[] {
    this.#finish()
    return this.#done
  }

  #finish(): void {
    if (this.#buffer === undefined) return
    this.#done.push(new Uint8Array(this.#buffer, this.#start, this.#end - this.#start))
    this.#buffer = undefined
  }
}
