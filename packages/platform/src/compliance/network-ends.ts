// The two ends of a connection as the network suites use them: each writes down what happens to it.
import { expect } from 'vitest'
import { assert } from '../assert.ts'
import type { Listener, ListenOptions, Receiver, Socket } from '../env.ts'
import type { NetworkWorld } from './network.ts'

const CONNECT_TIMEOUT_MS = 10_000
/** What a target is filled with when it is no longer lent. */
const OURS_AGAIN = 0xee
/** How many of them are watched. */
const RETURNED_MAX = 16

type Wait = { readonly holds: () => boolean; readonly resolve: () => void }

/** A socket and all that it told. Checks the manners that every receiver may rely on. */
export class End implements Receiver {
  readonly socket: Socket
  readonly gone: Promise<void>
  /** In the order in which they happened; a run of bytes is one `bytes`. */
  readonly events: string[] = []
  closedWith: Error | undefined
  /** Size of the targets it gives. */
  targetSize = 16_384
  onReceived: (() => void) | undefined
  receivedSize = 0
  readonly #chunks: Buffer[] = []
  readonly #returned: Uint8Array[] = []
  #lent: Uint8Array | undefined
  #waits: Wait[] = []
  #goneNow!: () => void

  constructor(socket: Socket) {
    this.socket = socket
    this.gone = new Promise((resolve) => {
      this.#goneNow = resolve
    })
  }

  target(): Uint8Array {
    assert(!this.#isClosed, 'nobody asks for memory after `closed`')
    this.#lent = new Uint8Array(this.targetSize)
    return this.#lent
  }

  received(size: number): void {
    const lent = this.#lent
    assert(lent !== undefined, '`received` follows a call of target()')
    assert(
      size > 0 && size <= lent.length,
      '`received` tells of a part of the target, never of none',
    )
    assert(this.events.at(-1) !== 'ended', 'nothing arrives after `ended`')
    this.#lent = undefined
    this.#chunks.push(Buffer.from(lent.subarray(0, size)))
    this.#remember(lent.fill(OURS_AGAIN))
    this.receivedSize += size
    this.#happened('bytes')
    this.onReceived?.()
  }

  ended(): void {
    assert(this.events.at(-1) !== 'ended', '`ended` comes once')
    this.#happened('ended')
  }

  closed(error?: Error): void {
    this.closedWith = error
    this.#happened('closed')
    this.#goneNow()
  }

  receive(): this {
    this.socket.receive(this)
    return this
  }

  send(text: string): void {
    this.socket.send([Buffer.from(text)])
  }

  /** Resolves with nothing, or with the error that `done` got. */
  sent(buffers: readonly Uint8Array[]): Promise<Error | undefined> {
    return new Promise((resolve) => this.socket.send(buffers, resolve))
  }

  /** Resolves when `size` bytes have arrived, since the beginning. */
  has(size: number): Promise<void> {
    return this.until(() => this.receivedSize >= size)
  }

  /** Resolves when it holds after something happened. */
  until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve()
    return new Promise((resolve) => this.#waits.push({ holds, resolve }))
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  text(): string {
    return this.bytes().toString()
  }

  /** Memory that was given back was left alone. */
  expectReturnedUntouched(): void {
    for (const target of this.#returned) {
      expect(Buffer.alloc(target.length, OURS_AGAIN).equals(target)).toBe(true)
    }
  }

  #remember(target: Uint8Array): void {
    this.#returned.push(target)
    if (this.#returned.length > RETURNED_MAX) this.#returned.shift()
  }

  get #isClosed(): boolean {
    return this.events.at(-1) === 'closed'
  }

  #happened(event: string): void {
    assert(!this.#isClosed, '`closed` comes once, and last')
    if (event !== 'bytes' || this.events.at(-1) !== 'bytes') this.events.push(event)
    const holding = this.#waits.filter(({ holds }) => holds())
    this.#waits = this.#waits.filter((wait) => !holding.includes(wait))
    for (const { resolve } of holding) resolve()
  }
}

export type Accepting = {
  readonly listener: Listener
  /** The first `count` that connected; they receive, unless told not to. */
  accepted(count: number): Promise<End[]>
}

export async function accepting(
  world: NetworkWorld,
  port = 0,
  options: { receive?: boolean } & Pick<ListenOptions, 'onAcceptFailed'> = {},
): Promise<Accepting> {
  const ends: End[] = []
  let waits: { count: number; resolve: (ends: End[]) => void }[] = []
  const accept = (socket: Socket) => {
    const end = new End(socket)
    ends.push(options.receive === false ? end : end.receive())
    const ready = waits.filter(({ count }) => count <= ends.length)
    waits = waits.filter((wait) => !ready.includes(wait))
    for (const { count, resolve } of ready) resolve(ends.slice(0, count))
  }
  const listener = await world.run(
    world.port.listen({ host: world.host, port, onAcceptFailed: options.onAcceptFailed }, accept),
  )
  return {
    listener,
    accepted(count) {
      if (ends.length >= count) return Promise.resolve(ends.slice(0, count))
      return new Promise((resolve) => waits.push({ count, resolve }))
    },
  }
}

export async function connect(
  world: NetworkWorld,
  port: number,
  options: { receive?: boolean; signal?: AbortSignal } = {},
): Promise<End> {
  const { host } = world
  const { signal } = options
  const connecting = world.port.connect({ host, port, timeoutMs: CONNECT_TIMEOUT_MS, signal })
  const end = new End(await world.run(connecting))
  return options.receive === false ? end : end.receive()
}

export type Pair = {
  readonly client: End
  readonly server: End
  readonly listener: Listener
  /** Destroys both ends, and waits until they are gone. */
  close(): Promise<void>
}

/** One connection. Both ends receive, unless told not to. */
export async function pair(
  world: NetworkWorld,
  options: { receive?: boolean; signal?: AbortSignal } = {},
): Promise<Pair> {
  const ends = await accepting(world, 0, options)
  const client = await connect(world, ends.listener.address.port, options)
  const [server] = (await world.run(ends.accepted(1))) as [End]
  return {
    client,
    server,
    listener: ends.listener,
    async close() {
      for (const end of [client, server]) end.socket.destroy()
      if (options.receive !== false) await world.run(Promise.all([client.gone, server.gone]))
      await world.run(ends.listener.close())
    },
  }
}

/** Bytes that show where they belong. */
export function pattern(size: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(size)
  for (let index = 0; index < size; index++)
    bytes[index] = (index * 31 + (index >> 8) * 7 + seed) & 0xff
  return bytes
}
