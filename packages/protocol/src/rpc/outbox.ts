// Answers on their way out: counted until the kernel has them. Enters: gather lists. Leaves: how much is unsent.
import type { Clock, Socket } from '@minikafka/platform'
import { frameSize } from '../codec/index.ts'
import type { CallMemory, Traffic } from './service.ts'

export class Outbox {
  readonly #clock: Clock
  readonly #socket: Socket
  readonly #memory: CallMemory
  readonly #traffic: Traffic
  readonly #sent: () => void
  #unsentBytes = 0
  #progressMs = 0

  /** `sent` is called each time that the kernel took an answer, or the socket died. */
  constructor(
    clock: Clock,
    socket: Socket,
    uses: { readonly memory: CallMemory; readonly traffic: Traffic },
    sent: () => void,
  ) {
    this.#clock = clock
    this.#socket = socket
    this.#memory = uses.memory
    this.#traffic = uses.traffic
    this.#sent = sent
  }

  get unsentBytes(): number {
    return this.#unsentBytes
  }

  /** Monotonic: since when the peer has taken no whole answer of those that wait for it. Meaningful while something is unsent. */
  get progressMs(): number {
    return this.#progressMs
  }

  /** The buffers are lent until the kernel has them, and `left` is called; the account is charged until then. */
  send(buffers: readonly Uint8Array[], left?: () => void): void {
    const size = frameSize(buffers)
    if (this.#unsentBytes === 0) this.#progressMs = this.#clock.monotonicMs()
    this.#unsentBytes += size
    this.#traffic.sentBytes += size
    this.#memory.charge(size)
    this.#socket.send(buffers, () => {
      this.#progressMs = this.#clock.monotonicMs()
      this.#unsentBytes -= size
      this.#memory.release(size)
      left?.()
      this.#sent()
    })
  }
}
