// Between a client and a real broker: passes everything on, but for answers that it was told to replace.
// Enters: connections of clients. Leaves: the same bytes, or the lies of an input, each once, under the right number.
import type { Env, Socket } from '@minikafka/platform'
import { encodeMsgpack } from '@minikafka/protocol'
import { Envelope } from '../../protocol/src/codec/envelope.ts'

const LENGTH_SIZE = 4
/** Of the answers in the corpus: one byte behind the first. */
const NUMBER_IN_CORPUS = 1

export type Lie = { readonly apiKey: number; readonly frame: Buffer }

export class LyingProxy {
  readonly #env: Env
  readonly #broker: { readonly host: string; readonly port: number }
  readonly #sockets = new Set<Socket>()
  #lies: Lie[] = []
  #port = 0

  private constructor(env: Env, broker: { host: string; port: number }) {
    this.#env = env
    this.#broker = broker
  }

  static async start(env: Env, host: string, broker: { host: string; port: number }) {
    const proxy = new LyingProxy(env, broker)
    const listener = await env.network.listen({ host, port: 0 }, (client) => {
      proxy.#serve(client).catch(() => client.destroy())
    })
    proxy.#port = listener.address.port
    return proxy
  }

  get port(): number {
    return this.#port
  }

  /** From now on. */
  tell(lies: readonly Lie[]): void {
    this.#lies = [...lies]
  }

  dropAll(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets.clear()
  }

  async #serve(client: Socket): Promise<void> {
    const broker = await this.#env.network.connect({ ...this.#broker, timeoutMs: 10_000 })
    /** API by correlation id. */
    const asked = new Map<number, number>()
    this.#pump(client, broker, (frame) => {
      const { apiKey, number } = requestHead(frame)
      asked.set(number, apiKey)
      return frame
    })
    this.#pump(broker, client, (frame) => this.#answer(frame, asked))
  }

  #answer(frame: Buffer, asked: ReadonlyMap<number, number>): Buffer {
    const number = new Envelope(frame, 2, 32).int('correlationId')
    const index = this.#lies.findIndex(({ apiKey }) => apiKey === asked.get(number))
    if (index === -1) return frame
    const [lie] = this.#lies.splice(index, 1)
    return numbered(lie?.frame ?? frame, number)
  }

  #pump(from: Socket, to: Socket, change: (frame: Buffer) => Buffer): void {
    this.#sockets.add(from)
    const target = Buffer.alloc(64 * 1024)
    let waiting: Buffer = Buffer.alloc(0)
    from.receive({
      target: () => target,
      received: (size) => {
        waiting = Buffer.concat([waiting, target.subarray(0, size)])
        for (let frame = first(waiting); frame !== undefined; frame = first(waiting)) {
          waiting = waiting.subarray(LENGTH_SIZE + frame.length)
          to.send(framed(change(frame)))
        }
      },
      ended: () => to.end(),
      closed: () => to.destroy(),
    })
  }
}

function first(bytes: Buffer): Buffer | undefined {
  if (bytes.length < LENGTH_SIZE) return undefined
  const end = LENGTH_SIZE + bytes.readUInt32BE(0)
  return bytes.length < end ? undefined : bytes.subarray(LENGTH_SIZE, end)
}

function framed(frame: Buffer): Buffer[] {
  const length = Buffer.alloc(LENGTH_SIZE)
  length.writeUInt32BE(frame.length)
  return [length, frame]
}

function requestHead(frame: Buffer): { apiKey: number; number: number } {
  const envelope = new Envelope(frame, 5, 32)
  const apiKey = envelope.int('apiKey')
  envelope.int('apiVersion')
  return { apiKey, number: envelope.int('correlationId') }
}

/** Where the number of the corpus is still in its place it becomes the one that was asked with. */
function numbered(frame: Buffer, number: number): Buffer {
  if (frame[1] !== NUMBER_IN_CORPUS) return frame
  return Buffer.concat([frame.subarray(0, 1), encodeMsgpack(number), frame.subarray(2)])
}
