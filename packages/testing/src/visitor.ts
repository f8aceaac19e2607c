// The test's own errands at the broker: it reads the log, creates topics, asks for settings.
// Each in a process that is gone with whatever it held when the last errand is over, however that ended.
import { type Admin, createClient } from '@minikafka/client'
import type { Env } from '@minikafka/platform'
import { type ReadOptions, type ReadRecord, readTopic } from './read-topic.ts'
import type { World } from './world/index.ts'

const VISITOR = 'test'

type Address = { readonly host: string; readonly port: number }

export class Visitor {
  readonly #world: World
  readonly #hostNetwork: boolean
  readonly #addressOf: () => Address
  #errandCount = 0

  constructor(world: World, hostNetwork: boolean, addressOf: () => Address) {
    this.#world = world
    this.#hostNetwork = hostNetwork
    this.#addressOf = addressOf
  }

  read(topic: string, options: ReadOptions): Promise<ReadRecord[]> {
    const address = this.#addressOf()
    return this.#errand(`all of ${topic}`, (env) => readTopic(env, address, topic, options))
  }

  administer<T>(what: string, work: (admin: Admin) => Promise<T>): Promise<T> {
    const { host, port } = this.#addressOf()
    return this.#errand(what, async (env) => {
      await using client = createClient(env, { brokers: `${host}:${port}`, clientId: 'testing' })
      return await work(client.admin())
    })
  }

  async #errand<T>(what: string, work: (env: Env) => Promise<T>): Promise<T> {
    this.#errandCount++
    try {
      const env = this.#world.env(VISITOR, { hostNetwork: this.#hostNetwork })
      return await this.#world.complete(work(env), { what })
    } finally {
      this.#errandCount--
      if (this.#errandCount === 0) this.#world.kill(VISITOR)
    }
  }
}
