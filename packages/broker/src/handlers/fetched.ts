// What one walk over the partitions of a Fetch brings, within what the asker wants and the memory that there is.
// Enters: a request. Leaves: a result for each of its partitions, charged to the memory budget.
import type { Apis, RequestOf, ResponseOf } from '@minikafka/protocol'
import type { Rooms } from '../rooms.ts'
import type { Context } from './context.ts'
import { type PartitionRead, readPartition } from './fetch-partition.ts'

type Request = RequestOf<Apis['fetch']>
type Result = ResponseOf<Apis['fetch']>['results'][number]

/** Left of a frame for everything that is not records. */
const FRAME_OVERHEAD_BYTES = 512 * 1024
/** What one read of a log takes at most while it is under way. */
const READ_BYTES_MAX = 2 * 1024 * 1024
/** A first batch comes whole where the connection has room for as much as batches mostly have (max.message.bytes). */
export const FIRST_BATCH_ROOM_BYTES = 1024 * 1024
/** Small batches lie apart in memory: an answer of very many buffers is slow to send, and has no frame above 65,535. */
const BUFFERS_MAX = 1024

export function answerBytesMax(maxBytes: number, { config }: Rooms): number {
  const frameBytesMax = config.values['socket.request.max.bytes']
  return Math.max(1, Math.min(maxBytes, frameBytesMax - FRAME_OVERHEAD_BYTES))
}

export class Fetched {
  readonly results: Result[] = []
  /** Of records, charged to the memory budget. Where a read fails, the end of the call gives it back. */
  bytes = 0
  /** Waiting would bring no more: there is an error to tell of, or a limit ended what was read of a partition. */
  isCut = false
  readonly #request: Request
  readonly #context: Context
  readonly #bytesMax: number
  /** Partitions that the walk has passed, of all from `#first` on, round and round. */
  #passed = 0
  readonly #first: number
  #buffers = 0
  /** Of some partition there was more than was read. */
  #isMore = false

  constructor(request: Request, context: Context) {
    const { length } = request.partitions
    this.#request = request
    this.#context = context
    this.#bytesMax = answerBytesMax(request.maxBytes, context.rooms)
    this.#first = length === 0 ? 0 : context.rooms.nextRotation() % length
  }

  /** There are records, and no room for them. */
  get lacksRoom(): boolean {
    return this.#isMore && this.bytes === 0
  }

  /**
   * Reads until all is read, or something has to come from the disk: then to be called again when the promise
   * resolves. What readers want lies mostly in memory, and a promise for each would cost more than the read.
   */
  readOn(): Promise<void> | undefined {
    const { partitions, isolation } = this.#request
    const { memory } = this.#context
    while (this.#passed < partitions.length) {
      const wanted = partitions[(this.#first + this.#passed++) % partitions.length]
      if (wanted === undefined) continue
      const { room } = memory
      const bytesMax = Math.max(0, Math.min(this.#bytesMax - this.bytes, room, wanted.maxBytes))
      const limits = {
        isolation,
        bytesMax: this.#buffers >= BUFFERS_MAX ? 0 : bytesMax,
        firstWhole: this.bytes === 0 && room >= FIRST_BATCH_ROOM_BYTES,
      }
      const read = readPartition(wanted, limits, this.#context)
      if (read instanceof Promise) return this.#takeLater(read, limits.bytesMax)
      this.#take(read)
    }
    return undefined
  }

  #take({ result, isMore }: PartitionRead): void {
    let bytes = 0
    for (const buffer of result.records) bytes += buffer.length
    this.#context.memory.charge(bytes)
    this.bytes += bytes
    this.#buffers += result.records.length
    this.#isMore ||= isMore
    this.isCut ||= (isMore && this.bytes > 0) || result.errorCode !== 0 || result.diverging !== null
    this.results.push(result)
  }

  /** While it is read from the disk it counts as if all came that may come: others look before they read. */
  async #takeLater(reading: Promise<PartitionRead>, bytesMax: number): Promise<void> {
    const { memory } = this.#context
    const bytes = Math.min(bytesMax, READ_BYTES_MAX)
    memory.charge(bytes)
    const read = await reading
    memory.release(bytes)
    this.#take(read)
  }
}
