// One direction of a connection: an ordered stream of bytes, cut and joined as the seed says.
// Enters: what one socket sends. Leaves: the same bytes, in order, in other pieces, later.
import { assert } from '@minikafka/platform'
import type { Ground } from '../ground.ts'
import type { Link } from './link.ts'
import type { SimSocket } from './sim-socket.ts'

/** Given to `send`; `takenSize` of it are in the kernel. */
type Sending = {
  readonly bytes: Buffer
  readonly lent: readonly Uint8Array[]
  readonly done: ((error?: Error) => void) | undefined
  takenSize: number
}

/** In the kernel: on the wire, or arrived and not yet read. */
type Segment = { readonly bytes: Buffer; readonly arrivesAtMs: number }

/** What a real socket hands over at once, at most. */
const CHUNK_BYTES_MAX = 65_536
/** Where bytes come slowly, those of so long come at once. */
const SLOW_STEP_MS = 100

export class Pipe {
  readonly #ground: Ground
  readonly #link: Link
  readonly #from: SimSocket
  readonly #to: SimSocket
  readonly #windowBytes: number
  readonly #sending: Sending[] = []
  readonly #segments: Segment[] = []
  readonly #told: (() => void)[] = []
  #queuedBytes = 0
  #kernelBytes = 0
  #lastArrivalMs = 0
  /** A slow link, or a slow reader, takes no more before that time. */
  #nextChunkMs = 0
  #delivering = false
  /** The sender said that nothing follows; `'delivered'` once the receiver knows. */
  #fin: 'no' | 'queued' | 'delivered' = 'no'
  #broken = false
  /** The receiver is gone, its kernel is not: bytes are answered by a reset. */
  #abandoned = false

  constructor(
    ground: Ground,
    way: { link: Link; windowBytes: number },
    from: SimSocket,
    to: SimSocket,
  ) {
    this.#ground = ground
    this.#link = way.link
    this.#windowBytes = way.windowBytes
    this.#from = from
    this.#to = to
  }

  /** Not yet taken by the kernel. */
  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** Taken by the kernel and not yet read. */
  get kernelBytes(): number {
    return this.#kernelBytes
  }

  /** Nothing more will be sent, and the kernel has it all. */
  get drained(): boolean {
    return this.#fin !== 'no' && this.#sending.length === 0
  }

  get finishing(): boolean {
    return this.#fin !== 'no'
  }

  /** The receiver knows that nothing more comes. */
  get ended(): boolean {
    return this.#fin === 'delivered'
  }

  send(buffers: readonly Uint8Array[], done: ((error?: Error) => void) | undefined): void {
    const bytes = Buffer.concat(buffers)
    this.#ground.hash.bytes(bytes)
    this.#sending.push({ bytes, lent: buffers, done, takenSize: 0 })
    this.#queuedBytes += bytes.length
    this.#take()
  }

  finish(): void {
    if (this.#fin !== 'no') return
    this.#fin = 'queued'
    this.#deliverSoon()
  }

  /** The receiver can take more, or the wire carries again. */
  resume(): void {
    if (this.#orphaned && this.#kernelBytes > 0) this.#from.resetSoon('ECONNRESET')
    this.#take()
    this.#deliverSoon()
  }

  /** What the kernel did not take yet is lost; whoever waits for it is told. */
  failSending(error: Error): void {
    for (const { done } of this.#sending.splice(0)) {
      if (done !== undefined) this.#tell(() => done(error))
    }
    this.#queuedBytes = 0
  }

  /** What is on its way is lost, too. */
  break(error: Error): void {
    this.#broken = true
    this.failSending(error)
    this.#segments.length = 0
    this.#kernelBytes = 0
  }

  /** The receiving end is gone and reads nothing more; the sender learns it by a reset. */
  abandon(): void {
    this.#abandoned = true
    this.#segments.length = 0
    this.#take()
  }

  #take(): void {
    while (!this.#broken && this.#kernelBytes < this.#windowBytes) {
      const sending = this.#sending[0]
      if (sending === undefined) break
      const room = this.#windowBytes - this.#kernelBytes
      const bytes = sending.bytes.subarray(sending.takenSize, sending.takenSize + room)
      sending.takenSize += bytes.length
      this.#queuedBytes -= bytes.length
      this.#put(bytes)
      if (sending.takenSize === sending.bytes.length) this.#taken(sending)
    }
    if (this.drained) this.#from.closeIfDone()
  }

  #put(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#kernelBytes += bytes.length
    if (this.#orphaned) {
      this.#from.resetSoon('ECONNRESET')
      return
    }
    const arrivesAtMs = this.#ground.scheduler.nowMs + this.#link.drawDelayMs()
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, arrivesAtMs)
    this.#segments.push({ bytes, arrivesAtMs: this.#lastArrivalMs })
    this.#deliverSoon()
  }

  #taken({ bytes, lent, done }: Sending): void {
    this.#sending.shift()
    // Who is not told when the loan ends never has its buffers back.
    if (done === undefined) return
    this.#tell(() => {
      assertUntouched(lent, bytes)
      done()
    })
  }

  /** Who sent is told in the order in which it sent. */
  #tell(one: () => void): void {
    this.#told.push(one)
    if (this.#told.length > 1) return
    this.#ground.scheduler.schedule(this.#from.owner, 'io', 'net sent', 0, () => {
      for (const tell of this.#told.splice(0)) tell()
    })
  }

  #deliverSoon(): void {
    const first = this.#segments[0]
    if (this.#delivering || this.#stopped) return
    // FIN is told even while the reader pauses; bytes wait in the window.
    if (first !== undefined ? !this.#to.takesBytes : !this.#finMayGo) return
    this.#delivering = true
    this.#ground.scheduler.schedule(this.#to.owner, 'io', 'net deliver', this.#waitMs, () =>
      this.#deliver(),
    )
  }

  /** Until something can be delivered. */
  get #waitMs(): number {
    const arrivedMs = this.#segments[0]?.arrivesAtMs ?? this.#lastArrivalMs
    const openMs = Math.max(arrivedMs, this.#link.cloggedUntilMs, this.#nextChunkMs)
    return Math.max(0, openMs - this.#ground.scheduler.nowMs)
  }

  #deliver(): void {
    this.#delivering = false
    if (this.#stopped) return
    if (this.#waitMs > 0) {
      // It was clogged in the meantime.
    } else if (this.#segments.length > 0) {
      if (this.#to.takesBytes) this.#deliverChunk()
    } else if (this.#finMayGo) {
      this.#fin = 'delivered'
      this.#to.peerEnded()
    }
    this.resume()
  }

  #deliverChunk(): void {
    const arrivedBytes = this.#arrivedBytes()
    let leftSize = this.#link.drawChunkSize(Math.min(this.#stepBytes, arrivedBytes))
    if (this.#stepBytes < CHUNK_BYTES_MAX) {
      this.#nextChunkMs = this.#ground.scheduler.nowMs + (leftSize / this.#link.rate) * 1000
    }
    while (leftSize > 0 && this.#to.open && !this.#broken) {
      const target = this.#to.target()
      assert(target.length > 0, 'target() gives free memory')
      const size = this.#moveInto(target.subarray(0, Math.min(leftSize, target.length)))
      leftSize -= size
      this.#to.received(size)
    }
  }

  /** At least one: the slowest link carries. */
  get #stepBytes(): number {
    const bytes = Math.ceil((this.#link.rate * SLOW_STEP_MS) / 1000)
    return Math.max(1, Math.min(CHUNK_BYTES_MAX, bytes))
  }

  get #finMayGo(): boolean {
    return this.#fin === 'queued' && this.drained && this.#to.hasReceiver
  }

  get #stopped(): boolean {
    return this.#broken || this.#to.dark || !this.#link.carries
  }

  /** The receiver is gone, by a close or with an earlier life of its host; the host itself is there. */
  get #orphaned(): boolean {
    return this.#abandoned || (this.#to.dark && this.#to.hostPowered)
  }

  #arrivedBytes(): number {
    const { nowMs } = this.#ground.scheduler
    let size = 0
    for (const segment of this.#segments) {
      if (segment.arrivesAtMs > nowMs || size >= CHUNK_BYTES_MAX) break
      size += segment.bytes.length
    }
    return size
  }

  #moveInto(target: Uint8Array): number {
    let filled = 0
    while (filled < target.length) {
      const segment = this.#segments[0] as Segment
      const part = segment.bytes.subarray(0, target.length - filled)
      target.set(part, filled)
      filled += part.length
      if (part.length === segment.bytes.length) this.#segments.shift()
      else this.#segments[0] = { ...segment, bytes: segment.bytes.subarray(part.length) }
    }
    this.#kernelBytes -= filled
    return filled
  }
}

function assertUntouched(lent: readonly Uint8Array[], bytes: Buffer): void {
  let position = 0
  for (const buffer of lent) {
    const sent = bytes.subarray(position, position + buffer.length)
    assert(sent.equals(buffer), 'a buffer lent to send() stays as it was until done() is called')
    position += buffer.length
  }
}
