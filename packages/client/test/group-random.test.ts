// Members that come, go, stand still and crash, and a broker that does: by seeds, the real broker, a simulated world.
import {
  type Client,
  type Consumer,
  type ConsumerRecord,
  createClient,
  type Env,
} from '@minikafka/client'
import { afterEach, expect, test } from 'vitest'
import { GroupStage, numbers, textOf } from './group-stage.ts'

let stage: GroupStage

afterEach(() => stage.close())

const PARTITIONS = 4
const RECORDS = 60
const TOTAL = PARTITIONS * RECORDS

/** One worker after the other in the same place, each in a process of its own. */
class Worker {
  static #processes = 0
  #node = ''
  #env: Env
  #client: Client
  #consumer: Consumer<string> | undefined
  #running: Promise<void> | undefined

  constructor() {
    this.#env = this.#process()
    this.#client = this.#newClient()
  }

  /** Not one of the test broker's clients: it closes those in the end, and the dead do not close. */
  #newClient(): Client {
    return createClient(this.#env, { brokers: stage.broker.address, logger: false })
  }

  #process(): Env {
    this.#node = `worker-${Worker.#processes++}`
    return stage.broker.world.start(this.#node)
  }

  get isIn(): boolean {
    return this.#consumer !== undefined
  }

  join(seen: string[], dice: () => number): void {
    const consumer = stage.member({ topics: ['work'], rebalanceTimeoutMs: 20_000 }, this.#client)
    this.#consumer = consumer
    // On the clock of this process: what it has in hand when it dies is never handled.
    const { clock } = this.#env
    const handle = async (record: ConsumerRecord<string>) => {
      const ms = Math.floor(dice() * 200)
      await new Promise<void>((resolve) => clock.timer(ms, resolve))
      seen.push(`${record.partition}:${textOf(record)}`)
    }
    const modes = [runs, runs, loops, polls, loopsOverBatches]
    const mode = modes[Math.floor(dice() * modes.length)] ?? runs
    this.#running = mode(consumer, handle, dice, () => this.#consumer !== consumer)
  }

  async close(): Promise<void> {
    const consumer = this.#consumer
    this.#consumer = undefined
    // Who polls may have records in hand that only the end of its loop finishes.
    consumer?.stop()
    await this.#running
    await consumer?.close({ timeoutMs: 60_000 })
  }

  /** It is at its end. */
  async end(): Promise<void> {
    await this.close()
    await this.#client.close()
  }

  /** The process dies; another one takes its place. */
  crash(): void {
    this.#consumer = undefined
    stage.broker.world.kill(this.#node)
    this.#env = this.#process()
    this.#client = this.#newClient()
  }

  /** SIGSTOP, and SIGCONT after so long. */
  async standStill(ms: number): Promise<void> {
    stage.broker.world.pause(this.#node)
    await stage.pass(ms)
    stage.broker.world.resume(this.#node)
  }
}

type Handle = (record: ConsumerRecord<string>) => Promise<void>

async function runs(consumer: Consumer<string>, handle: Handle, dice: () => number): Promise<void> {
  const order = (['partition', 'key', 'none'] as const)[Math.floor(dice() * 3)] ?? 'key'
  await consumer.run(handle, { concurrency: 1 + Math.floor(dice() * 4), order })
}

async function loops(consumer: Consumer<string>, handle: Handle): Promise<void> {
  for await (const record of consumer) await handle(record)
}

/** A batch of a partition that is taken away is left in the middle: to ask for the next one would finish it. */
async function loopsOverBatches(
  consumer: Consumer<string>,
  handle: Handle,
  _dice: () => number,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    for await (const { records, signal } of consumer.batches({ maxRecords: 10 })) {
      for (const record of records) {
        if (signal.aborted) break
        await handle(record)
        record.ack()
      }
      if (signal.aborted) break
    }
  }
}

async function polls(
  consumer: Consumer<string>,
  handle: Handle,
  _dice: () => number,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    const records = await consumer.poll({ max: 10, maxWaitMs: 1000 })
    for (const record of records) {
      await handle(record)
      record.ack()
    }
  }
}

/** A small generator of its own: what is done depends on the seed, and on nothing else. */
function diceOf(seed: number): () => number {
  let state = seed * 2_654_435_761 + 1
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 0x9e3779b9) >>> 0
    return state / 2 ** 32
  }
}

async function fill(): Promise<string[]> {
  await stage.client.admin().createTopic('work', { partitions: PARTITIONS })
  for (let partition = 0; partition < PARTITIONS; partition++)
    await stage.produce('work', numbers(0, RECORDS), partition)
  return Array.from({ length: PARTITIONS }, (_, p) =>
    numbers(0, RECORDS).map((n) => `${p}:${n}`),
  ).flat()
}

test.each([1, 2, 3, 4])(
  'seed %i: who comes and goes in peace makes nobody handle a record twice',
  async (seed) => {
    stage = await GroupStage.start({ seed })
    const dice = diceOf(seed)
    const all = await fill()
    const seen: string[] = []
    const workers = [0, 1, 2].map(() => new Worker())
    while (seen.length < TOTAL) {
      const worker = workers[Math.floor(dice() * workers.length)] as Worker
      if (!worker.isIn) worker.join(seen, dice)
      else if (dice() < 0.5) await worker.close()
      await stage.pass(Math.floor(dice() * 4000))
    }
    await Promise.all(workers.map((worker) => worker.end()))
    expect(seen.sort()).toEqual(all.sort())
  },
)

test.each([1011, 1012, 1013, 1015])(
  'seed %i: whatever happens, every record is handled, and commits never go back',
  async (seed) => {
    stage = await GroupStage.start({ seed })
    const dice = diceOf(seed)
    const all = await fill()
    const seen: string[] = []
    const committed = new Map<number, number>()
    const wrong: string[] = []
    const watch = stage.broker.intercept('OffsetCommit', async (request, next) => {
      const answer = await next(request)
      for (const [index, { partition, offset }] of request.positions.entries()) {
        if (answer?.results[index]?.errorCode !== 0) continue
        const before = committed.get(partition) ?? 0
        if (offset < before) wrong.push(`${partition}: ${offset} after ${before}`)
        committed.set(partition, offset)
      }
      return answer
    })
    const workers = [0, 1, 2].map(() => new Worker())
    for (let step = 0; step < 25; step++) {
      const worker = workers[Math.floor(dice() * workers.length)] as Worker
      const what = dice()
      if (!worker.isIn) worker.join(seen, dice)
      else if (what < 0.2) await worker.close()
      else if (what < 0.35) worker.crash()
      else if (what < 0.5) await worker.standStill(20_000 * dice())
      else if (what < 0.65) {
        await stage.broker.kill()
        await stage.pass(20_000 * dice())
        await stage.broker.heal()
      } else if (what < 0.8) await stage.broker.disconnectAll()
      await stage.pass(Math.floor(dice() * 5000))
    }
    for (const worker of workers) if (!worker.isIn) worker.join(seen, dice)
    // What was handled and not committed before a crash is handled again: the group is done when all is committed.
    while ((await behind()) > 0) await stage.pass(1000)
    await Promise.all(workers.map((worker) => worker.end()))
    watch.end()
    expect([...new Set(seen)].sort()).toEqual(all.sort())
    expect(wrong).toEqual([])
    expect(await behind()).toBe(0)
  },
)

/** Records that are not committed, over all partitions. */
async function behind(): Promise<number> {
  const lags = await stage.client.admin().lag('billing')
  return lags.length < PARTITIONS ? TOTAL : lags.reduce((sum, { lag }) => sum + lag, 0)
}
