// From a time to the first batch that may hold a record of it.
// Enters: whenever a batch raised the largest timestamp so far, one entry every 4 KiB at most. Leaves: an offset to search from.
//
// `%020d.timeindex`, entries of 12 bytes, ascending in both numbers:
//
//    0 timestamp        int64: the largest in the segment up to and with that batch
//    8 relative offset  uint32: base offset of the batch that has it, minus that of the segment
//
// So every record before that batch is older than the timestamp. At roll the index gets one last entry.
// Source: Kafka TimeIndex; REPLICATION 2.12.7.
import { assert } from '@minikafka/platform'
import { floorEntry, IndexFile, type IndexShelf } from './index-file.ts'

const ENTRY_SIZE = 12

export class TimeIndex {
  readonly baseOffset: number
  readonly file: IndexFile
  /** Of the last entry: the next one must be larger. */
  #lastTimestamp: number

  /** `lastTimestamp`: no larger than the largest of the segment, which is what the last entry says. */
  constructor(
    shelf: IndexShelf,
    path: string,
    found: { baseOffset: number; fileSize: number; lastTimestamp: number },
  ) {
    this.baseOffset = found.baseOffset
    this.file = new IndexFile(shelf, path, ENTRY_SIZE, found.fileSize)
    this.#lastTimestamp = found.lastTimestamp
  }

  /** The largest timestamp so far and the batch that has it; does nothing where it did not grow. */
  add(timestamp: number, offset: number): void {
    if (timestamp <= this.#lastTimestamp) return
    assert(offset >= this.baseOffset, 'an indexed offset lies in its segment')
    const room = this.file.add()
    room.buffer.writeBigInt64BE(BigInt(timestamp), room.position)
    room.buffer.writeUInt32BE(offset - this.baseOffset, room.position + 8)
    this.#lastTimestamp = timestamp
  }

  /**
   * The last entry at or before `timestamp`: every record before its batch is older.
   *
   * Holds   offset = start of the segment and timestamp = -1 where there is no entry; undefined: the saved
   *         index is damaged and must be rebuilt.
   */
  async lookup(timestamp: number): Promise<TimeHit | undefined> {
    const waiting = this.file.waiting
    const position = floorEntry(waiting, ENTRY_SIZE, timestamp, keyAt)
    if (position >= 0) return this.#hit(waiting, position)
    const saved = await this.file.saved(holdsTogether)
    if (saved === undefined) return undefined
    const savedPosition = floorEntry(saved, ENTRY_SIZE, timestamp, keyAt)
    return savedPosition < 0
      ? { offset: this.baseOffset, timestamp: -1 }
      : this.#hit(saved, savedPosition)
  }

  #hit(entries: Buffer, position: number): TimeHit {
    return {
      timestamp: keyAt(entries, position),
      offset: this.baseOffset + entries.readUInt32BE(position + 8),
    }
  }
}

/** All entries of a time index file, relative as they stand there; for `verify`. */
export function* readTimeEntries(
  content: Buffer,
): Generator<{ entryPosition: number; timestamp: number; offset: number }> {
  for (let at = 0; at + ENTRY_SIZE <= content.length; at += ENTRY_SIZE)
    yield {
      entryPosition: at,
      timestamp: keyAt(content, at),
      offset: content.readUInt32BE(at + 8),
    }
}

/** A batch, and the largest timestamp in the segment up to and with it, which it has itself. */
export type TimeHit = { readonly offset: number; readonly timestamp: number }

function keyAt(entries: Buffer, position: number): number {
  return Number(entries.readBigInt64BE(position))
}

function holdsTogether(entries: Buffer): boolean {
  let timestamp = Number.NEGATIVE_INFINITY
  let offset = -1
  for (let at = 0; at < entries.length; at += ENTRY_SIZE) {
    const nextTimestamp = keyAt(entries, at)
    const nextOffset = entries.readUInt32BE(at + 8)
    if (nextTimestamp <= timestamp || nextOffset <= offset) return false
    timestamp = nextTimestamp
    offset = nextOffset
  }
  return true
}
