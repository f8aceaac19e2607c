// Reading in place: the kernel writes into the memory that the receiver gives, without a copy (PERFORMANCE 4).
// node:net asks for the buffer of the next read right after a connection is made, when nobody receives yet; until
// somebody does, bytes go into a small buffer of our own and are handed over then.
import type { Receiver } from '../env.ts'

const EARLY_BYTES = 64 * 1024

export class ReceiveBuffer {
  #receiver: Receiver | undefined
  #early: Uint8Array | undefined
  #earlySize = 0

  readonly onread = {
    buffer: (): Uint8Array => this.#target(),
    callback: (size: number, buffer: Uint8Array): boolean => this.#received(size, buffer),
  }

  #target(): Uint8Array {
    if (this.#receiver !== undefined) return this.#receiver.target()
    this.#early ??= new Uint8Array(EARLY_BYTES)
    return this.#early.subarray(this.#earlySize)
  }

  /** False would pause; the socket is paused by its owner instead. */
  #received(size: number, buffer: Uint8Array): boolean {
    const early = this.#early
    if (early !== undefined && buffer.buffer === early.buffer) {
      if (this.#receiver === undefined) this.#earlySize += size
      else this.#copy(buffer.subarray(0, size))
      return true
    }
    this.#receiver?.received(size)
    return true
  }

  attach(receiver: Receiver): void {
    this.#receiver = receiver
    if (this.#early !== undefined && this.#earlySize > 0)
      this.#copy(this.#early.subarray(0, this.#earlySize))
    this.#earlySize = 0
  }

  #copy(bytes: Uint8Array): void {
    if (this.#receiver !== undefined) copyInto(this.#receiver, bytes)
  }
}

/** Hands bytes over by one copy, in as many pieces as the receiver has room for at a time. */
export function copyInto(receiver: Receiver, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    const target = receiver.target()
    const size = Math.min(target.length, bytes.length - done)
    target.set(size === bytes.length ? bytes : bytes.subarray(done, done + size))
    done += size
    receiver.received(size)
  }
}
