// The floor of metadata.log: what lies below it has been on the disk (REPLICATION 2.12.1, step 5).
// metadata.synced holds one slot, written in place after a sync, at most every 100 ms, never fsynced.
import { crc32c, type Env, type File, type Timer } from '@minikafka/platform'

/** `position` is a byte in the metadata.log that begins after revision `base`. */
export type Floor = { readonly base: number; readonly position: number }

const SLOT_SIZE = 20
const WRITE_EVERY_MS = 100

/** A damaged or absent slot is no floor. */
export function decodeFloor(bytes: Buffer | undefined): Floor | undefined {
  if (bytes === undefined || bytes.length < SLOT_SIZE) return undefined
  if (crc32c(bytes.subarray(0, 16)) !== bytes.readUInt32BE(16)) return undefined
  return { base: Number(bytes.readBigUInt64BE(0)), position: Number(bytes.readBigUInt64BE(8)) }
}

export function encodeFloor({ base, position }: Floor): Buffer {
  const slot = Buffer.alloc(SLOT_SIZE)
  slot.writeBigUInt64BE(BigInt(base), 0)
  slot.writeBigUInt64BE(BigInt(position), 8)
  slot.writeUInt32BE(crc32c(slot.subarray(0, 16)), 16)
  return slot
}

export class FloorSlot {
  readonly #env: Env
  readonly #file: File
  #floor: Floor | undefined
  #written: Floor | undefined
  #timer: Timer | undefined
  #writing: Promise<void> = Promise.resolve()
  #writtenAtMs = Number.NEGATIVE_INFINITY

  constructor(env: Env, file: File) {
    this.#env = env
    this.#file = file
  }

  static async open(env: Env, path: string): Promise<FloorSlot> {
    const exists = (await env.disk.stat(path)) !== undefined
    return new FloorSlot(env, await env.disk.open(path, exists ? 'write' : 'create'))
  }

  /** An fdatasync covers everything below `floor.position`. */
  raise(floor: Floor): void {
    this.#floor = floor
    if (this.#timer !== undefined) return
    const waitMs = this.#writtenAtMs + WRITE_EVERY_MS - this.#env.clock.monotonicMs()
    if (waitMs <= 0) this.#write()
    else this.#timer = this.#env.clock.timer(waitMs, () => this.#writeLate())
  }

  async close(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#write()
    await this.#writing
    await this.#file.close()
  }

  #writeLate(): void {
    this.#timer = undefined
    this.#write()
  }

  #write(): void {
    if (this.#floor === undefined || this.#floor === this.#written) return
    const floor = this.#floor
    this.#written = floor
    this.#writtenAtMs = this.#env.clock.monotonicMs()
    this.#writing = this.#writing.then(() => this.#writeSlot(encodeFloor(floor)))
  }

  /** Without a slot the floor is lower, no more: a failure is not passed on. */
  async #writeSlot(slot: Buffer): Promise<void> {
    try {
      await this.#file.append([slot], 0)
    } catch (error) {
      this.#env.logger.warn({ err: error }, 'cannot note how far the metadata is synced')
    }
  }
}
