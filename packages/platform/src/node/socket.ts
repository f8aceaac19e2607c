// One TCP connection: `net.Socket` behind the `network` port.
import type * as net from 'node:net'
import { assert } from '../assert.ts'
import { type Address, NetworkError, type Receiver, type Socket } from '../env.ts'
import type { Inlet } from './inlet.ts'
import { networkErrorOf } from './network-error.ts'

type Done = (error?: Error) => void

const NOTHING = new Uint8Array(0)

export class NodeSocket implements Socket {
  readonly local: Address
  readonly remote: Address
  readonly #socket: net.Socket
  readonly #inlet: Inlet
  #receiver: Receiver | undefined
  #ending = false
  #error: NetworkError | undefined
  #closed = false

  /** Takes over a connected socket that does not read yet. */
  constructor(socket: net.Socket, inlet: Inlet) {
    this.#socket = socket
    this.#inlet = inlet
    this.local = addressOf(socket.localAddress, socket.localPort)
    this.remote = addressOf(socket.remoteAddress, socket.remotePort)
    socket.on('error', (error) => {
      this.#error ??= networkErrorOf(error)
    })
    socket.on('end', () => {
      if (!socket.destroyed) this.#receiver?.ended()
    })
    socket.on('close', () => this.#close())
    // Silent where the inlet reads in place.
    socket.on('data', (chunk) => inlet.copy(chunk as Buffer))
  }

  receive(receiver: Receiver): void {
    assert(this.#receiver === undefined, 'receive() is called once')
    this.#receiver = receiver
    this.#inlet.attach(receiver)
    if (this.#closed) setImmediate(() => receiver.closed(this.#error))
    else if (!this.#inlet.paused) this.#socket.resume()
  }

  send(buffers: readonly Uint8Array[], done?: Done): void {
    const socket = this.#socket
    if (this.#ending || socket.destroyed) {
      if (done !== undefined) setImmediate(() => done(this.#error ?? gone()))
      return
    }
    const sent = done && ((error?: Error | null) => this.#sent(done, error))
    const last = buffers.length - 1
    if (last <= 0) {
      socket.write(buffers[0] ?? NOTHING, sent)
      return
    }
    // What is corked leaves as one writev.
    socket.cork()
    for (let index = 0; index < last; index++) socket.write(buffers[index] as Uint8Array)
    socket.write(buffers[last] as Uint8Array, sent)
    socket.uncork()
  }

  queuedBytes(): number {
    return this.#socket.destroyed ? 0 : this.#socket.writableLength
  }

  pause(): void {
    this.#inlet.paused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#inlet.paused = false
    if (this.#receiver !== undefined && !this.#socket.destroyed) this.#socket.resume()
  }

  end(): void {
    if (this.#ending || this.#socket.destroyed) return
    this.#ending = true
    this.#socket.end()
  }

  destroy(): void {
    this.#inlet.stop()
    this.#socket.destroy()
  }

  /** Of a write that was under way when the socket died node:net says that it went well. */
  #sent(done: Done, error: Error | null | undefined): void {
    if (error) done(networkErrorOf(error))
    else if (this.#socket.destroyed) done(this.#error ?? gone())
    else done()
  }

  #close(): void {
    this.#closed = true
    this.#inlet.stop()
    this.#receiver?.closed(this.#error)
  }
}

function gone(): NetworkError {
  return new NetworkError('EPIPE', 'EPIPE: this end of the connection is closed')
}

/** An IPv4 peer of a listener on `::` is written as what it is. */
function addressOf(host = '', port = 0): Address {
  return { host: host.startsWith('::ffff:') ? host.slice('::ffff:'.length) : host, port }
}
