// What a history says of one partition: who wrote which value, and which value stood at which offset.
// Holds: the version order, offsets with the gaps closed (markers and compaction leave gaps).
import type { Act } from './act.ts'
import type { Partition, Value } from './operation.ts'

export type Write = {
  readonly act: Act
  readonly value: Value
  /** As acknowledged. */
  readonly offset: number | undefined
  /** By any poll, also a failed one. */
  reader: Act | undefined
  /** By an `ok` poll. */
  okReader: Act | undefined
  /** Where the value stands in the version order; -1: nowhere. They differ where it stands twice. */
  firstIndex: number
  lastIndex: number
}

/** A value at an offset, and who said so first. */
export type Place = {
  readonly offset: number
  readonly value: Value
  readonly act: Act
  index: number
  /** Who claims another value for the same offset. */
  rivals: { readonly value: Value; readonly act: Act }[] | undefined
}

export class PartitionFacts {
  readonly name: Partition
  readonly writes = new Map<Value, Write>()
  /** By index; whole after `order()`. */
  places: readonly Place[] = []
  /** Values of the last final read. */
  final: ReadonlySet<Value> | undefined
  readonly #byOffset = new Map<number, Place>()

  constructor(name: Partition) {
    this.name = name
  }

  place(offset: number, value: Value, act: Act): void {
    const place = this.#byOffset.get(offset)
    if (place === undefined) {
      this.#byOffset.set(offset, { offset, value, act, index: -1, rivals: undefined })
      return
    }
    if (place.value === value) return
    place.rivals ??= []
    if (!place.rivals.some((rival) => rival.value === value)) place.rivals.push({ value, act })
  }

  /** Closes the gaps; after the last `place`. */
  order(): void {
    this.places = [...this.#byOffset.values()].sort((a, b) => a.offset - b.offset)
    for (const [index, place] of this.places.entries()) {
      place.index = index
      this.#stand(place.value, index)
      for (const { value } of place.rivals ?? []) this.#stand(value, index)
    }
  }

  /** Of an offset that was placed. */
  indexOf(offset: number): number {
    return this.#byOffset.get(offset)?.index ?? -1
  }

  #stand(value: Value, index: number): void {
    const write = this.writes.get(value)
    if (write === undefined) return
    if (write.firstIndex === -1) write.firstIndex = index
    write.lastIndex = index
  }
}
