// The producer's bytes: buffered and unacknowledged. Who sends too fast waits here (behaviour 29).

/** A send that waits for room, in the order they came. */
export type InLine = {
  /** Monotonic: when its record was handed over; one whose schema took its time is older than those before it. */
  readonly sentMs: number
  /** There is room: takes its bytes now. */
  enter(): void
  /** It waited for too long, or the producer closes. */
  giveUp(error: Error): void
}

export type AccountLimits = {
  readonly maxBufferedBytes: number
  readonly highWaterBytes: number
  readonly lowWaterBytes: number
}

export class Account {
  readonly #limits: AccountLimits
  #bytes = 0
  readonly #line = new Set<InLine>()
  #drained: (() => void)[] = []
  #opening = false

  constructor(limits: AccountLimits) {
    this.#limits = limits
  }

  get bytes(): number {
    return this.#bytes
  }

  /** At or above the high-water mark: `push` answers false. */
  get high(): boolean {
    return this.#bytes >= this.#limits.highWaterBytes
  }

  /** `send` waits: there is no room, or others wait already. */
  get full(): boolean {
    return this.#bytes >= this.#limits.maxBufferedBytes || this.#line.size > 0
  }

  /** `push` throws. */
  get overfull(): boolean {
    return this.#bytes >= 2 * this.#limits.maxBufferedBytes
  }

  add(bytes: number): void {
    this.#bytes += bytes
  }

  release(bytes: number): void {
    this.#bytes -= bytes
    if (this.#drained.length > 0 && this.#bytes < this.#limits.lowWaterBytes) this.#tellDrained()
    if (this.#line.size > 0) this.#openDoor()
  }

  /** Resolves below the low-water mark. */
  drained(): Promise<void> {
    if (this.#bytes < this.#limits.lowWaterBytes) return Promise.resolve()
    return new Promise((resolve) => this.#drained.push(resolve))
  }

  wait(waiting: InLine): void {
    this.#line.add(waiting)
  }

  leave(waiting: InLine): boolean {
    return this.#line.delete(waiting)
  }

  /** All that wait now. */
  line(): InLine[] {
    return [...this.#line]
  }

  #tellDrained(): void {
    const waiting = this.#drained
    this.#drained = []
    for (const resolve of waiting) resolve()
  }

  /** In a microtask: whoever released is not done with its own work yet. */
  #openDoor(): void {
    if (this.#opening) return
    this.#opening = true
    queueMicrotask(() => {
      this.#opening = false
      while (this.#bytes < this.#limits.maxBufferedBytes) {
        const next = this.#line.values().next().value
        if (next === undefined) break
        this.#line.delete(next)
        next.enter()
      }
    })
  }
}
