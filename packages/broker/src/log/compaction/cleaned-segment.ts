// The segment that takes the place of others, while it is written: `%020d.log.cleaned`, which a start removes.
// Enters: batches, in order. Leaves: a file that is synced, and a segment that knows it; or nothing.
import { assert, DiskError, type File } from '@minikafka/platform'
import { batchBaseOffsetAt, batchLastOffsetAt } from '@minikafka/protocol'
import type { LogHooks, LogHost } from '../log-host.ts'
import { Segment, type SegmentPlace, segmentPath } from '../segment.ts'

const WRITE_BYTES = 1024 * 1024

export class CleanedSegment {
  readonly segment: Segment
  readonly path: string
  readonly #host: LogHost
  readonly #hooks: LogHooks
  readonly #indexIntervalBytes: number
  readonly #file: File
  /** Not written yet: all from `segment.size - #filled` on. */
  readonly #buffer = Buffer.allocUnsafeSlow(WRITE_BYTES)
  #filled = 0

  private constructor(
    host: LogHost,
    hooks: LogHooks,
    place: SegmentPlace,
    { indexIntervalBytes, file }: { indexIntervalBytes: number; file: File },
  ) {
    this.#host = host
    this.#hooks = hooks
    this.#indexIntervalBytes = indexIntervalBytes
    this.#file = file
    this.segment = new Segment(host, place)
    this.path = pathOf(place)
  }

  /** Errors: DiskError. Holds: what an earlier attempt left is gone. */
  static async begin(
    host: LogHost,
    hooks: LogHooks,
    place: SegmentPlace,
    indexIntervalBytes: number,
  ): Promise<CleanedSegment> {
    const path = pathOf(place)
    await host.env.disk.removeFile(path)
    const file = await host.env.disk.open(path, 'create')
    return new CleanedSegment(host, hooks, place, { indexIntervalBytes, file })
  }

  /** Takes one batch, whose bytes are copied. Returns the bytes that were written for it, many or none. */
  async add(batch: Buffer): Promise<number> {
    let written = 0
    if (this.#filled + batch.length > WRITE_BYTES) written = await this.#flush()
    const nextOffset = batchLastOffsetAt(batch) + 1
    const position = this.segment.size
    this.segment.note(
      batch,
      0,
      { baseOffset: batchBaseOffsetAt(batch), nextOffset },
      this.#indexIntervalBytes,
    )
    if (batch.length > WRITE_BYTES) {
      await this.#append(batch, position)
      return written + batch.length
    }
    batch.copy(this.#buffer, this.#filled)
    this.#filled += batch.length
    return written
  }

  /** All of it is on the disk; its name need not be. */
  async finish(): Promise<void> {
    await this.#flush()
    await this.#writing(() => this.#file.sync())
    this.segment.finishTimeIndex()
    this.segment.exists = true
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  /** It is not needed: nothing of it stays. */
  async remove(): Promise<void> {
    await this.#host.env.disk.removeFile(this.path)
  }

  #append(bytes: Buffer, position: number): Promise<void> {
    return this.#writing(async () => await this.#file.append([bytes], position, 'pool'))
  }

  /** EIO of a write is the end of the directory (REPLICATION 2.12.3). */
  async #writing(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (error instanceof DiskError && error.code === 'EIO') this.#hooks.failed(error)
      throw error
    }
  }

  async #flush(): Promise<number> {
    const bytes = this.#filled
    if (bytes === 0) return 0
    assert(bytes <= this.segment.size, 'what waits was noted')
    const position = this.segment.size - bytes
    await this.#append(this.#buffer.subarray(0, bytes), position)
    this.#filled = 0
    return bytes
  }
}

function pathOf(place: SegmentPlace): string {
  return `${segmentPath(place, 'log')}.cleaned`
}
