// Room 7 of the walk. From an offset to the position of its batch, or of one shortly before it.
// Before: broker/log. After: broker/handlers/01-fetch.
// Enters: where batches begin, one entry every 4 KiB. Leaves: a position, to be checked against the batch header there.
//
// `%020d.index`, entries of 8 bytes, ascending in both numbers; no entry for the first batch of a segment:
//
//    0 relative offset  uint32: base offset of a batch minus that of the segment
//    4 position         uint32: where that batch begins in the segment
//
// There is no checksum: a wrong entry shows when the header at its position has another base offset, and the
// whole index is rebuilt then. Kafka's index has the last offset of the batch instead; with the base offset a
// reader who goes on at a large batch does not read the one before it. Source: Kafka OffsetIndex.
import { assert } from '@minikafka/platform'
import { floorEntry, IndexFile, type IndexShelf } from './index-file.ts'

const ENTRY_SIZE = 8
export const RELATIVE_OFFSET_MAX = 2 ** 31 - 1

/** Where a batch begins. */
export type IndexHit = { readonly offset: number; readonly position: number }

export class OffsetIndex {
  readonly baseOffset: number
  readonly file: IndexFile

  constructor(shelf: IndexShelf, path: string, baseOffset: number, fileSize: number) {
    this.baseOffset = baseOffset
    this.file = new IndexFile(shelf, path, ENTRY_SIZE, fileSize)
  }

  /** A batch with this base offset begins at `position`; both ascend. */
  add(offset: number, position: number): void {
    const relativeOffset = offset - this.baseOffset
    assert(
      relativeOffset > 0 && relativeOffset <= RELATIVE_OFFSET_MAX,
      'an indexed offset lies in its segment',
    )
    const room = this.file.add()
    room.buffer.writeUInt32BE(relativeOffset, room.position)
    room.buffer.writeUInt32BE(position, room.position + 4)
  }

  /**
   * The last entry at or before `offset`; the start of the segment where there is none.
   *
   * Shape   `segmentSize`: no position in the index may lie beyond. At once where the entry is in memory.
   * Holds   undefined: the saved index is damaged and must be rebuilt.
   */
  lookup(
    offset: number,
    segmentSize: number,
  ): IndexHit | undefined | Promise<IndexHit | undefined> {
    const key = offset - this.baseOffset
    const waiting = this.file.waiting
    const position = floorEntry(waiting, ENTRY_SIZE, key, keyAt)
    if (position >= 0) return this.#hit(waiting, position)
    const saved = this.file.saved((content) => holdsTogether(content, segmentSize))
    if (saved instanceof Promise) return saved.then((content) => this.#find(content, key))
    return this.#find(saved, key)
  }

  #find(saved: Buffer | undefined, key: number): IndexHit | undefined {
    if (saved === undefined) return undefined
    const position = floorEntry(saved, ENTRY_SIZE, key, keyAt)
    if (position < 0) return { offset: this.baseOffset, position: 0 }
    return this.#hit(saved, position)
  }

  #hit(entries: Buffer, position: number): IndexHit {
    return {
      offset: this.baseOffset + keyAt(entries, position),
      position: entries.readUInt32BE(position + 4),
    }
  }
}

/** All entries of an index file, relative as they stand there; for `verify`. */
export function* readOffsetEntries(
  content: Buffer,
): Generator<{ entryPosition: number; offset: number; position: number }> {
  for (let at = 0; at + ENTRY_SIZE <= content.length; at += ENTRY_SIZE) {
    const position = content.readUInt32BE(at + 4)
    yield { entryPosition: at, offset: keyAt(content, at), position }
  }
}

function keyAt(entries: Buffer, position: number): number {
  return entries.readUInt32BE(position)
}

/** Both numbers ascend from above 0, and the last position lies in the segment. */
function holdsTogether(entries: Buffer, segmentSize: number): boolean {
  let offset = 0
  let position = 0
  for (let at = 0; at < entries.length; at += ENTRY_SIZE) {
    const nextOffset = entries.readUInt32BE(at)
    const nextPosition = entries.readUInt32BE(at + 4)
    if (nextOffset <= offset || nextPosition <= position) return false
    offset = nextOffset
    position = nextPosition
  }
  return position < segmentSize || entries.length === 0
}
