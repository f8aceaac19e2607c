// A load that goes on until it is stopped, for those who look at it in windows. Enters: a client, a way to produce.
// Leaves: how many records have gone so far.
import type { Client, Producer } from '@minikafka/client'

export type Way = 'push' | 'send' | 'one at a time'

/** Promises outstanding at once with `send`. */
const OUTSTANDING = 10_000
/** After so many records the loop turns, whatever the buffer has room for: others have timers. */
const TURN = 2_000

export class EndlessLoad {
  records = 0
  readonly #producer: Producer
  readonly #topic: string
  readonly #value: Buffer
  readonly #ended: Promise<void>
  #stopped = false

  constructor(client: Client, topic: string, way: Way, size: number) {
    this.#producer = client.producer()
    this.#topic = topic
    this.#value = Buffer.alloc(size, 'x')
    const ways = { push: this.#push, send: this.#send, 'one at a time': this.#oneByOne }
    this.#ended = ways[way].call(this)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#ended
    await this.#producer.close()
  }

  async #push(): Promise<void> {
    while (!this.#stopped) {
      if (!this.#producer.push(this.#topic, { value: this.#value })) await this.#producer.drained()
      if (++this.records % TURN === 0) await turn()
    }
  }

  async #send(): Promise<void> {
    let outstanding = 0
    let resume: (() => void) | undefined
    const settled = () => {
      this.records++
      if (--outstanding < OUTSTANDING / 2) resume?.()
    }
    for (let sent = 1; !this.#stopped; sent++) {
      void this.#producer.send(this.#topic, { value: this.#value }).then(settled)
      if (++outstanding >= OUTSTANDING) await new Promise<void>((room) => (resume = room))
      resume = undefined
      if (sent % TURN === 0) await turn()
    }
  }

  async #oneByOne(): Promise<void> {
    for (; !this.#stopped; this.records++)
      await this.#producer.send(this.#topic, { value: this.#value })
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
