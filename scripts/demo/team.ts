// A group whose members are processes: started, killed, and asked for who owns what.
import { join } from 'node:path'
import type { Client } from '@minikafka/client'
import { pause } from '../bench/good-client.ts'
import { Child } from '../child.ts'
import type { Line, Reading } from './reading.ts'

/** No member takes so long to start, and no broker so long to miss one. */
const PATIENCE_MS = 60_000
const LOOK_MS = 100

export class Team implements AsyncDisposable {
  readonly #client: Client
  readonly #where: { readonly brokers: string; readonly topic: string; readonly group: string }
  readonly #reading: Reading
  readonly #members = new Map<string, Child>()
  #failure: Error | undefined

  constructor(
    client: Client,
    where: { readonly brokers: string; readonly topic: string; readonly group: string },
    reading: Reading,
  ) {
    this.#client = client
    this.#where = where
    this.#reading = reading
  }

  join(name: string): void {
    const { brokers, topic, group } = this.#where
    const program = join(import.meta.dirname, 'member.ts')
    const args = [program, brokers, topic, group, name]
    const child = new Child(['--import', 'tsx', '--conditions=@minikafka/source', ...args])
    this.#members.set(name, child)
    void this.#listen(name, child)
  }

  async #listen(name: string, child: Child): Promise<void> {
    try {
      for await (const line of child.lines()) this.#reading.add(JSON.parse(line) as Line)
      if (this.#members.has(name)) throw new Error(`${name} ended with ${await child.exited}`)
    } catch (error) {
      this.#failure ??= error as Error
    }
  }

  /** As a power cut would: it says nothing to anybody. */
  async kill(name: string): Promise<void> {
    const child = this.#members.get(name)
    this.#members.delete(name)
    child?.signal('SIGKILL')
    await child?.exited
  }

  /** Partitions by member, when each of those alive has some and nobody else has any. */
  async owners(): Promise<Map<string, number[]>> {
    const alive = [...this.#members.keys()].sort()
    let owners = new Map<string, number[]>()
    await this.until(async () => {
      owners = await this.#owners()
      return [...owners.keys()].sort().join() === alive.join()
    })
    return owners
  }

  async #owners(): Promise<Map<string, number[]>> {
    const owners = new Map<string, number[]>()
    const groups = await this.#client.admin().listGroups()
    if (!groups.some(({ group }) => group === this.#where.group)) return owners
    const { state, members } = await this.#client.admin().describeGroup(this.#where.group)
    if (state !== 'Stable') return owners
    for (const { clientId, assigned } of members) {
      const partitions = assigned.map(({ partition }) => partition)
      owners.set(
        clientId,
        partitions.sort((a, b) => a - b),
      )
    }
    return owners
  }

  /** Errors: whatever went wrong with a member meanwhile; that it takes too long. */
  async until(holds: () => boolean | Promise<boolean>): Promise<void> {
    const untilMs = performance.now() + PATIENCE_MS
    while (!(await holds())) {
      if (this.#failure !== undefined) throw this.#failure
      if (performance.now() > untilMs) throw new Error(`nothing came of it in ${PATIENCE_MS} ms`)
      await pause(LOOK_MS)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const children = [...this.#members.values()]
    this.#members.clear()
    await Promise.all(children.map((child) => child[Symbol.asyncDispose]()))
  }
}
