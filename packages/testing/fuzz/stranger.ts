// Somebody who dials and says what he likes: a socket of the simulated world and all that came back over it.
import type { Env, Socket } from '@minikafka/platform'
import { encodeRequest } from '../../protocol/src/codec/index.ts'

const TIMEOUT_MS = 10_000

export class Stranger {
  readonly #socket: Socket
  readonly #target = Buffer.alloc(64 * 1024)
  readonly #chunks: Buffer[] = []
  /** The other side said that nothing more comes. */
  ended = false
  closed = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.receive({
      target: () => this.#target,
      received: (size) => this.#chunks.push(Buffer.from(this.#target.subarray(0, size))),
      ended: () => {
        this.ended = true
      },
      closed: () => {
        this.closed = true
      },
    })
  }

  static async dial(env: Env, address: { host: string; port: number }): Promise<Stranger> {
    return new Stranger(await env.network.connect({ ...address, timeoutMs: TIMEOUT_MS }))
  }

  send(bytes: Uint8Array): void {
    this.#socket.send([bytes])
  }

  greet(): void {
    const said = { clientName: 'stranger', clientVersion: '1', clientId: 'stranger' }
    for (const buffer of encodeRequest('apiVersions', 0, 0, said)) this.send(buffer)
  }

  /** Whole frames that came, without their lengths. */
  frames(): Buffer[] {
    const bytes = Buffer.concat(this.#chunks)
    const frames: Buffer[] = []
    for (let at = 0; at + 4 <= bytes.length; ) {
      const end = at + 4 + bytes.readUInt32BE(at)
      if (end > bytes.length) break
      frames.push(bytes.subarray(at + 4, end))
      at = end
    }
    return frames
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }
}
