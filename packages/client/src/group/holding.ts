// The partitions of a member, each in its stage: given and not begun, begun, taken back and not let go.
// All of them are owned as the coordinator means it: what may still be worked on (REPLICATION 2.13.3).

/** A partition as the coordinator names it. */
export type Place = { readonly topicId: string; readonly partition: number }

export type Stage = 'given' | 'begun' | 'taken'

type Held = { readonly place: Place; stage: Stage }

export class Holding {
  readonly #held = new Map<string, Held>()
  /** As the last assignment said. */
  #wanted: ReadonlyMap<string, Place> = new Map()

  get size(): number {
    return this.#held.size
  }

  /** All of it is begun. */
  get isStill(): boolean {
    for (const { stage } of this.#held.values()) if (stage !== 'begun') return false
    return true
  }

  all(): Place[] {
    return [...this.#held.values()].map(({ place }) => place)
  }

  at(stage: Stage): Place[] {
    const found: Place[] = []
    for (const held of this.#held.values()) if (held.stage === stage) found.push(held.place)
    return found
  }

  /**
   * What may be used from now on. `isDropped`: something is gone at once, for nobody had begun it.
   */
  assign(places: readonly Place[]): { readonly isChanged: boolean; readonly isDropped: boolean } {
    this.#wanted = new Map(places.map((place) => [keyOf(place), place]))
    let isChanged = false
    let isDropped = false
    for (const [key, held] of this.#held) {
      if (this.#wanted.has(key) || held.stage === 'taken') continue
      isChanged = true
      if (held.stage === 'begun') held.stage = 'taken'
      else isDropped = this.#held.delete(key)
    }
    for (const key of this.#wanted.keys()) isChanged = this.#give(key) || isChanged
    return { isChanged, isDropped }
  }

  #give(key: string): boolean {
    const place = this.#wanted.get(key)
    if (place === undefined || this.#held.has(key)) return false
    this.#held.set(key, { place, stage: 'given' })
    return true
  }

  move(place: Place, from: Stage, to: Stage): void {
    const held = this.#held.get(keyOf(place))
    if (held?.stage === from) held.stage = to
  }

  /** False where it was not held. One that was taken and given again meanwhile begins anew. */
  remove(place: Place): boolean {
    const key = keyOf(place)
    const isHeld = this.#held.delete(key)
    if (isHeld) this.#give(key)
    return isHeld
  }

  /** Returns what was held. */
  clear(): Place[] {
    const places = this.all()
    this.#held.clear()
    this.#wanted = new Map()
    return places
  }

  byTopic(): { topicId: string; partitions: number[] }[] {
    const topics = new Map<string, number[]>()
    for (const { place } of this.#held.values()) {
      const known = topics.get(place.topicId)
      if (known) known.push(place.partition)
      else topics.set(place.topicId, [place.partition])
    }
    return [...topics].map(([topicId, partitions]) => {
      return { topicId, partitions: partitions.sort((a, b) => a - b) }
    })
  }
}

export function keyOf({ topicId, partition }: Place): string {
  return `${topicId}/${partition}`
}
