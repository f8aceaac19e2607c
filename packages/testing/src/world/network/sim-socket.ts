// One end of a connection, with the manners of TCP: FIN after what was queued, reset with loss of what
// was not read, silence when the power goes.
import { type Address, assert, NetworkError, type Receiver, type Socket } from '@minikafka/platform'
import type { Ground } from '../ground.ts'
import type { Death, Process, Resource } from '../process.ts'
import type { Pipe } from './pipe.ts'
import type { Wires } from './wires.ts'

const MESSAGES: Readonly<Record<string, string>> = {
  ECONNRESET: 'read ECONNRESET: the other end reset the connection',
  EPIPE: 'write EPIPE: this end is closed',
  ETIMEDOUT: 'read ETIMEDOUT: the other end does not answer any more',
}

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
  #closeListener: (() => void) | undefined
  #dark = false
  /** How it ended; the receiver is told once, as soon as there is one. */
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
    if (unread) {
      this.#in.break(networkError('ECONNRESET'))
      this.#peer.resetSoon('ECONNRESET')
    } else {
      this.#in.abandon()
      this.#out.finish()
    }
  }

  /** Both ends are gone at once, with all that was on the way. */
  reset(code: string): void {
    if (!this.#open) return
    const error = networkError(code)
    this.#out.break(error)
    this.#in.break(error)
    this.#close(error)
  }

  resetSoon(code: string): void {
    const delayMs = this.#wires.drawDelayMs(this.#peer.node, this.node)
    this.#schedule('net reset', () => this.reset(code), delayMs)
  }

  died(how: Death): void {
    if (how === 'kill') {
      this.destroy()
      return
    }
    this.#dark = true
    this.#close(undefined)
    this.#wires.wentDark(this.#peer, this.node)
  }

  target(): Uint8Array {
    return (this.#receiver as Receiver).target()
  }

  received(size: number): void {
    this.#receiver?.received(size)
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

  /** For the wires; the latest listener alone. */
  onClose(listener: () => void): void {
    this.#closeListener = listener
  }

  #close(error: Error | undefined): void {
    this.#open = false
    this.#closeListener?.()
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

export function nameOf({ host, port }: Address): string {
  return `${host}:${port}`
}
