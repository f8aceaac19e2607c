// `synced`: the finer of the two floors (REPLICATION 2.12.1). Written in place soon after an fdatasync, never fsynced itself.
// Enters: how far a partition is on the disk. Leaves: after a crash, a number that is at most too small.
//
// One slot of 32 bytes per partition, so that none lies across a 512-byte sector; a free slot is all zeros.
//
//    0 topic id        16 bytes
//   16 partition       uint32, big-endian as all numbers here
//   20 durable offset  int64: an fdatasync covers all below
//   28 CRC-32C         of the 28 bytes before
import { assert, crc32c, type Env, type File, type Timer } from '@minikafka/platform'
import { type PartitionKey, partitionKey, topicIdBytes, topicIdOf } from './partition-key.ts'

const SLOT_SIZE = 32
const CRC_POSITION = 28
const WRITE_DELAY_MS = 100

export class SyncedFile {
  /** Slots whose CRC did not fit; each was ignored. */
  readonly badSlotCount: number
  readonly #env: Env
  readonly #file: File
  readonly #onError: (error: unknown) => void
  /** The whole file. 64 KB for 2,000 partitions. */
  #image: Buffer
  readonly #slots = new Map<PartitionKey, number>()
  readonly #free: number[] = []
  /** Slots that changed since the last write: all of [#dirtyFrom, #dirtyTo). */
  #dirtyFrom = Number.POSITIVE_INFINITY
  #dirtyTo = 0
  #timer: Timer | undefined
  #writing: Promise<void> | undefined

  private constructor(env: Env, file: File, image: Buffer, onError: (error: unknown) => void) {
    this.#env = env
    this.#file = file
    this.#image = image
    this.#onError = onError
    this.badSlotCount = this.#readSlots()
  }

  /** `onError`: a write failed; the floor lags behind from then on, which is safe. */
  static async open(
    env: Env,
    path: string,
    onError: (error: unknown) => void,
  ): Promise<SyncedFile> {
    const content = await env.disk.readFile(path)
    const file = await env.disk.open(path, content === undefined ? 'create' : 'write')
    const wholeSlots = Math.floor((content?.length ?? 0) / SLOT_SIZE) * SLOT_SIZE
    const image = Buffer.from(content?.subarray(0, wholeSlots) ?? [])
    return new SyncedFile(env, file, image, onError)
  }

  get(key: PartitionKey): number | undefined {
    const slot = this.#slots.get(key)
    if (slot === undefined) return undefined
    return durableOffsetOf(this.#image.subarray(slot * SLOT_SIZE, (slot + 1) * SLOT_SIZE))
  }

  /** An fdatasync returned: everything below `offset` is on the disk. Written within 100 ms. */
  set(topicId: string, partition: number, offset: number): void {
    assert(Number.isSafeInteger(offset) && offset >= 0, 'a durable offset is a safe integer')
    const slot = this.#slotOf(topicId, partition)
    const position = slot * SLOT_SIZE
    this.#image.writeBigInt64BE(BigInt(offset), position + 20)
    this.#sum(position)
    this.#touch(slot)
  }

  /** Before a truncation: the lower floor must outlive a power cut, or the cut would look like a loss. */
  async lower(topicId: string, partition: number, offset: number): Promise<void> {
    this.set(topicId, partition, offset)
    await this.write()
    await this.#file.sync()
  }

  delete(key: PartitionKey): void {
    const slot = this.#slots.get(key)
    if (slot === undefined) return
    this.#slots.delete(key)
    this.#image.fill(0, slot * SLOT_SIZE, (slot + 1) * SLOT_SIZE)
    this.#free.push(slot)
    this.#touch(slot)
  }

  /** Writes what changed; resolves when the system has it. */
  async write(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    while (this.#writing !== undefined) await this.#writing
    if (this.#dirtyTo === 0) return
    this.#writing = this.#writeDirty().finally(() => {
      this.#writing = undefined
    })
    await this.#writing
  }

  async close(): Promise<void> {
    await this.write()
    await this.#file.close()
  }

  async #writeDirty(): Promise<void> {
    const from = this.#dirtyFrom * SLOT_SIZE
    // A copy: the image goes on changing while the bytes are lent.
    const bytes = Buffer.from(this.#image.subarray(from, this.#dirtyTo * SLOT_SIZE))
    this.#dirtyFrom = Number.POSITIVE_INFINITY
    this.#dirtyTo = 0
    const written = this.#file.append([bytes], from)
    if (written !== undefined) await written
  }

  #touch(slot: number): void {
    this.#dirtyFrom = Math.min(this.#dirtyFrom, slot)
    this.#dirtyTo = Math.max(this.#dirtyTo, slot + 1)
    if (this.#env.random.buggify('synced-skipped', 0.5)) return
    this.#timer ??= this.#env.clock.timer(WRITE_DELAY_MS, () => {
      this.write().catch(this.#onError)
    })
  }

  #slotOf(topicId: string, partition: number): number {
    const key = partitionKey(topicId, partition)
    const known = this.#slots.get(key)
    if (known !== undefined) return known
    const slot = this.#free.pop() ?? this.#grow()
    this.#slots.set(key, slot)
    const position = slot * SLOT_SIZE
    this.#image.set(topicIdBytes(topicId), position)
    this.#image.writeUInt32BE(partition, position + 16)
    return slot
  }

  #grow(): number {
    const slot = this.#image.length / SLOT_SIZE
    // Doubling, so that 10,000 partitions do not copy the file 10,000 times; the rest is free.
    const slotCount = Math.max(16, slot * 2)
    this.#image = Buffer.concat([this.#image], slotCount * SLOT_SIZE)
    for (let free = slotCount - 1; free > slot; free--) this.#free.push(free)
    return slot
  }

  #sum(position: number): void {
    const crc = crc32c(this.#image.subarray(position, position + CRC_POSITION))
    this.#image.writeUInt32BE(crc, position + CRC_POSITION)
  }

  #readSlots(): number {
    let badCount = 0
    for (let slot = this.#image.length / SLOT_SIZE - 1; slot >= 0; slot--) {
      const bytes = this.#image.subarray(slot * SLOT_SIZE, (slot + 1) * SLOT_SIZE)
      const whole = !isFree(bytes) && isWhole(bytes)
      if (!whole && !isFree(bytes)) badCount++
      if (whole) this.#slots.set(keyOf(bytes), slot)
      else this.#free.push(slot)
    }
    return badCount
  }
}

/** What a file holds, read only. `badPositions`: of slots whose CRC does not fit. */
export function readSlots(content: Buffer): {
  offsets: Map<PartitionKey, number>
  badPositions: number[]
} {
  const offsets = new Map<PartitionKey, number>()
  const badPositions: number[] = []
  for (let position = 0; position + SLOT_SIZE <= content.length; position += SLOT_SIZE) {
    const slot = content.subarray(position, position + SLOT_SIZE)
    if (isFree(slot)) continue
    if (isWhole(slot)) offsets.set(keyOf(slot), durableOffsetOf(slot))
    else badPositions.push(position)
  }
  return { offsets, badPositions }
}

function durableOffsetOf(slot: Buffer): number {
  return Number(slot.readBigInt64BE(20))
}

function isFree(slot: Buffer): boolean {
  return slot.every((byte) => byte === 0)
}

function isWhole(slot: Buffer): boolean {
  if (crc32c(slot.subarray(0, CRC_POSITION)) !== slot.readUInt32BE(CRC_POSITION)) return false
  const offset = slot.readBigInt64BE(20)
  return offset >= 0n && offset <= BigInt(Number.MAX_SAFE_INTEGER)
}

function keyOf(slot: Buffer): PartitionKey {
  return partitionKey(topicIdOf(slot), slot.readUInt32BE(16))
}
