// Where the bytes of a connection come in: read by the kernel straight into the receiver's memory where node:net can
// do that (its option `onread`), else copied once.
import type { Receiver } from '../env.ts'

/** For the first read alone: its memory must be named when the connection is made, and nobody receives yet. */
const FIRST_READ_BYTES = 4096

export class Inlet {
  #receiver: Receiver | undefined
  #first: Uint8Array | undefined
  #stopped = false
  /** Set by the socket. A resume and a pause in one turn leave node:net reading, so the inlet stops it as well. */
  paused = false

  /** For `net.connect` and `net.Socket`. They ask for the next buffer as soon as one was read into. */
  readonly onread = {
    buffer: (): Uint8Array => this.#target(),
    callback: (size: number, buffer: Uint8Array): boolean => this.#arrived(size, buffer),
  }

  attach(receiver: Receiver): void {
    this.#receiver = receiver
  }

  /** The socket is destroyed: nothing is told any more. */
  stop(): void {
    this.#stopped = true
    this.#first = undefined
  }

  /** Hands over by a copy, in as many pieces as the receiver has room for at a time. */
  copy(bytes: Uint8Array): void {
    let done = 0
    while (done < bytes.length && !this.#stopped) {
      const receiver = this.#receiver as Receiver
      const target = receiver.target()
      const size = Math.min(target.length, bytes.length - done)
      target.set(bytes.subarray(done, done + size))
      done += size
      receiver.received(size)
    }
  }

  #target(): Uint8Array {
    if (this.#receiver !== undefined && !this.#stopped) return this.#receiver.target()
    this.#first = new Uint8Array(FIRST_READ_BYTES)
    return this.#first
  }

  /** False stops the reading, until the socket resumes. */
  #arrived(size: number, buffer: Uint8Array): boolean {
    if (this.#stopped) return true
    if (buffer !== this.#first) this.#receiver?.received(size)
    else {
      this.#first = undefined
      this.copy(buffer.subarray(0, size))
    }
    return !this.paused
  }
}
