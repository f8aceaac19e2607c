// One direction between two nodes: whether it carries, how long it takes, what is wrong with it.
import type { Ground } from '../ground.ts'
import { drawMs, type Latency } from '../latency.ts'
import type { Host } from './host.ts'

/** Linux waits that long before it sends a lost segment again, and twice as long each time. */
const RETRANSMIT_MS = 200
const RETRANSMIT_MS_MAX = 60_000
const FEW_BYTES = 16

export class Link {
  readonly #ground: Ground
  readonly #from: Host
  readonly #to: Host
  cut = false
  /** Connecting is refused. */
  refuses = false
  /** Nothing arrives before that time. */
  cloggedUntilMs = 0
  latency: Latency | undefined
  extraMs = 0
  /** Of one packet; TCP sends it again. */
  lossProbability = 0
  bytesPerSecond = Number.POSITIVE_INFINITY
  /** Bytes come in small pieces only. */
  dribbles = false

  constructor(ground: Ground, from: Host, to: Host) {
    this.#ground = ground
    this.#from = from
    this.#to = to
  }

  get carries(): boolean {
    if (this.#from === this.#to) return true
    return !this.cut && this.#from.speaks && this.#to.hears
  }

  /** Of what is sent, and of what is read at the end of it. */
  get rate(): number {
    return Math.min(this.bytesPerSecond, this.#to.bytesPerSecond)
  }

  /** Until a packet that is sent now arrives. */
  drawDelayMs(): number {
    const { networkDice, networkLatency, scheduler } = this.#ground
    const onWayMs = drawMs(this.latency ?? networkLatency, networkDice)
    const delayMs = onWayMs + this.extraMs + this.#drawResendsMs()
    return Math.max(delayMs, this.cloggedUntilMs - scheduler.nowMs)
  }

  #drawResendsMs(): number {
    if (this.lossProbability === 0) return 0
    let resendsMs = 0
    for (let againMs = RETRANSMIT_MS; againMs <= RETRANSMIT_MS_MAX; againMs *= 2) {
      if (!this.#ground.networkDice.chance(this.lossProbability)) break
      resendsMs += againMs
    }
    return resendsMs
  }

  /** Mostly all there is; now and then a part, down to a single byte. */
  drawChunkSize(arrivedBytes: number): number {
    const { networkDice } = this.#ground
    const kind = networkDice.next()
    if (arrivedBytes <= 1) return arrivedBytes
    const few = Math.min(FEW_BYTES, arrivedBytes)
    if (this.dribbles) return 1 + networkDice.below(few)
    if (kind < 0.8) return arrivedBytes
    if (kind < 0.83) return 1
    return 1 + networkDice.below(kind < 0.88 ? few : arrivedBytes)
  }

  heal(): void {
    this.cut = false
    this.refuses = false
    this.cloggedUntilMs = 0
    this.latency = undefined
    this.extraMs = 0
    this.lossProbability = 0
    this.bytesPerSecond = Number.POSITIVE_INFINITY
    this.dribbles = false
  }
}
