// One end of a connection, with the manners of TCP: FIN after what was queued, reset with loss of what
// was not read, silence when the power goes.
import { type Address, assert, NetworkError, type Receiver, type Socket } from '@minikafka/platform'
import type { Event } from '../event-heap.ts'
import type { Ground } from '../ground.ts'
import type { Death, Process, Resource } from '../process.ts'
import { nameOf } from './addresses.ts'
import type { Pipe } from './pipe.ts'
import type { Wires } from './wires.ts'

const MESSAGES: Readonly<Record<string, string>> = {
  EMFILE: 'EMFILE: no descriptor is left',
  ECONNRESET: 'read ECONNRESET: the other end reset the connection',
  EPIPE: 'write EPIPE: this end is closed',
  ETIMEDOUT: 'read ETIMEDOUT: the other end does not answer any more',
}

/** After this long without an answer the kernel gives a connection up. */
const KEEP_ALIVE_MS = 60_000

export class SimSocket implements Socket, Resource {
  readonly about: string
  readonly local: Address
  readonly remote: Address
  readonly owner: Process
  readonly #ground: Ground
  readonly #wires: Wires
  #receiver: Receiver | undefined
  #paused = false
  #open = true
  #dark = false
  /** The moment at which it gives up, while it can hear nothing. */
  #givingUp: Event | undefined
  /** How it ended; the receiver is told once, as soon as there is one. */
  /** Lent to the kernel since the last read. */
  #target: Uint8Array | undefined
  #closing: { readonly error: Error | undefined } | undefined
  #out!: Pipe
  #in!: Pipe
  #peer!: SimSocket

  constructor(
    ground: Ground,
    wires: Wires,
    owner: Process,
    ends: { local: Address; remote: Address },
  ) {
    this.#ground = ground
    this.#wires = wires
    this.owner = owner
    this.local = ends.local
    this.remote = ends.remote
    this.about = `socket ${nameOf(ends.local)} to ${nameOf(ends.remote)}`
    owner.holds(this)
    wires.sockets.add(this)
  }

  /** Called once, before anything else. */
  join(peer: SimSocket, pipes: { out: Pipe; in: Pipe }): void {
    this.#peer = peer
    this.#out = pipes.out
    this.#in = pipes.in
  }

  get node(): string {
    return this.owner.node
  }

  get open(): boolean {
    return this.#open
  }

  /** Its host lost power: nothing arrives, nothing is answered. */
  get dark(): boolean {
    return this.#dark
  }

  get hostPowered(): boolean {
    return this.#wires.host(this.node).powered
  }

  get peer(): SimSocket {
    return this.#peer
  }

  get hasReceiver(): boolean {
    return this.#receiver !== undefined
  }

  get takesBytes(): boolean {
    return this.#open && this.hasReceiver && !this.#paused
  }

  receive(receiver: Receiver): void {
    assert(this.#receiver === undefined, 'receive() is called once')
    this.#receiver = receiver
    if (this.#closing !== undefined) this.#tellClosed()
    else this.#in.resume()
  }

  send(buffers: readonly Uint8Array[], done?: (error?: Error) => void): void {
    if (this.#open && !this.#out.finishing) this.#out.send(buffers, done)
    else if (done !== undefined) this.#schedule('net sent', () => done(networkError('EPIPE')))
  }

  queuedBytes(): number {
    return this.#out.queuedBytes
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    if (this.#open) this.#in.resume()
  }

  end(): void {
    if (!this.#open) return
    this.#out.finish()
    this.closeIfDone()
  }

  destroy(): void {
    if (!this.#open) return
    // As a kernel does: unread bytes turn the farewell into a reset.
    const unread = this.#in.kernelBytes > 0
    this.#out.failSending(networkError('EPIPE'))
    this.#close(undefined)
    this.#in.abandon()
    if (unread) this.#peer.resetSoon('ECONNRESET')
    else this.#out.finish()
  }

  /** This end is gone, with all that was on its way in both directions. The other one learns it when it sends. */
  reset(code: string): void {
    if (!this.#open) return
    const error = networkError(code)
    this.#out.break(error)
    this.#in.abandon()
    this.#close(error)
  }

  /** The peer's host answers by a reset, which gets lost like everything else. */
  resetSoon(code: string): void {
    const link = this.#wires.link(this.#peer.node, this.node)
    const arrived = () => {
      if (link.carries) this.reset(code)
    }
    this.#schedule('net reset', arrived, link.drawDelayMs())
  }

  died(how: Death): void {
    if (how === 'kill') {
      this.destroy()
      return
    }
    this.#dark = true
    this.#close(undefined)
  }

  target(): Uint8Array {
    return this.#target ?? (this.#receiver as Receiver).target()
  }

  /** As node:net does, it asks at once for where the next bytes go, and keeps that until they come. */
  received(size: number): void {
    this.#target = undefined
    this.#receiver?.received(size)
    if (this.#open) this.#target = this.#receiver?.target()
  }

  /** The peer's FIN. */
  peerEnded(): void {
    if (!this.#open) return
    this.#receiver?.ended()
    this.closeIfDone()
  }

  closeIfDone(): void {
    if (this.#open && this.#in.ended && this.#out.drained) this.#close(undefined)
  }

  /** The wires carry again. */
  kick(): void {
    this.#out.resume()
  }

  /** Whether the peer is reached has changed. */
  watchSilence(): void {
    const { scheduler } = this.#ground
    const silent = this.#peer.dark || !this.#wires.reaches(this.node, this.#peer.node)
    if (silent === (this.#givingUp !== undefined)) return
    if (this.#givingUp !== undefined) scheduler.cancel(this.#givingUp)
    const giveUp = () => this.reset('ETIMEDOUT')
    this.#givingUp = silent
      ? scheduler.schedule(this.owner, 'timer', 'net keepalive', KEEP_ALIVE_MS, giveUp)
      : undefined
  }

  #close(error: Error | undefined): void {
    this.#open = false
    if (this.#givingUp !== undefined) this.#ground.scheduler.cancel(this.#givingUp)
    this.#closing = { error }
    this.owner.releases(this)
    this.#wires.sockets.delete(this)
    if (this.#receiver !== undefined) this.#tellClosed()
  }

  #tellClosed(): void {
    this.#schedule('net closed', () => this.#receiver?.closed(this.#closing?.error))
  }

  #schedule(label: string, run: () => void, delayMs = 0): void {
    this.#ground.scheduler.schedule(this.owner, 'io', label, delayMs, run)
  }
}

export function networkError(code: string, message = MESSAGES[code] ?? code): NetworkError {
  return new NetworkError(code, message)
}
