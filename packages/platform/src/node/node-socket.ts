// One TCP connection of this process.
import type * as net from 'node:net'
import type { Address, Receiver, Socket } from '../env.ts'
import { networkError } from './network-error.ts'
import { copyInto, type ReceiveBuffer } from './receive-buffer.ts'

export class NodeSocket implements Socket {
  readonly local: Address
  readonly remote: Address
  readonly #socket: net.Socket
  /** Given where reads go straight into the receiver's memory. */
  readonly #buffer: ReceiveBuffer | undefined
  #error: Error | undefined
  #ended = false
  #gone = false

  constructor(socket: net.Socket, buffer: ReceiveBuffer | undefined) {
    this.#socket = socket
    this.#buffer = buffer
    this.local = { host: socket.localAddress ?? '', port: socket.localPort ?? 0 }
    this.remote = { host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
    socket.on('error', (error) => {
      this.#error ??= networkError(error)
    })
    socket.on('end', () => {
      this.#ended = true
    })
    socket.on('close', () => {
      this.#gone = true
    })
  }

  receive(receiver: Receiver): void {
    const socket = this.#socket
    if (this.#gone) {
      receiver.closed(this.#error)
      return
    }
    socket.on('close', () => receiver.closed(this.#error))
    if (this.#ended) receiver.ended()
    else socket.on('end', () => receiver.ended())
    if (this.#buffer !== undefined) this.#buffer.attach(receiver)
    else socket.on('data', (chunk: Buffer) => copyInto(receiver, chunk))
    socket.resume()
  }

  send(buffers: readonly Uint8Array[], done?: (error?: Error) => void): void {
    const socket = this.#socket
    const last = buffers.length - 1
    const written = done && ((error?: Error | null) => (error ? done(networkError(error)) : done()))
    if (last === 0) {
      socket.write(buffers[0] as Uint8Array, written)
      return
    }
    if (last < 0) {
      written?.()
      return
    }
    // Corked writes leave as one writev.
    socket.cork()
    for (const [index, buffer] of buffers.entries())
      socket.write(buffer, index === last ? written : undefined)
    socket.uncork()
  }

  queuedBytes(): number {
    return this.#socket.writableLength
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }
}
