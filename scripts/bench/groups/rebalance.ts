// Three members over 100 partitions while a fourth joins and one leaves: what happens to the partitions that stay, and
// how long those that move are read by nobody. Records come at a steady rate from a process of their own.
import { join } from 'node:path'
import { Client, type Consumer } from '@minikafka/client'
import { startBroker } from '../../broker-child.ts'
import { Child } from '../../child.ts'
import { pause } from '../good-client.ts'
import { median, printColumns } from '../table.ts'

const PARTITIONS = 100
const TOPIC = 'rebalanced'
/** Of each partition a record each 20 ms. */
const RATE = 5_000
const WINDOW_MS = 5_000

export async function rebalance(folder: string): Promise<void> {
  await using broker = await startBroker(folder)
  const brokers = `127.0.0.1:${broker.port}`
  await using client = new Client({ brokers, clientId: 'bench' })
  // A flush would make gaps of its own.
  await client.admin().createTopic(TOPIC, { partitions: PARTITIONS, config: { flush: 'os' } })
  await using team = new Team(brokers)
  for (let count = 0; count < 3; count++) team.join()
  await using _producer = steadyProducer(brokers)
  await team.settled()
  const rows = [
    await observed(team, 'a fourth joins', () => team.join()),
    await observed(team, 'one leaves', () => team.leave()),
  ]
  printColumns(COLUMNS, rows)
}

const COLUMNS = [
  `3 members, ${PARTITIONS} partitions`,
  'kept',
  'longest gap before ms',
  'meanwhile ms',
  'moved',
  'unread for ms',
  'at most ms',
  'all moved after ms',
]

function steadyProducer(brokers: string): Child {
  const program = join(import.meta.dirname, '..', 'rate-producer.ts')
  const args = [program, brokers, TOPIC, String(RATE), String(24 * 3_600_000)]
  return new Child(['--import', 'tsx', '--conditions=@minikafka/source', ...args])
}

/** Two windows of the same length (unless the group takes longer), before and after the change; partitions are told apart by who read them. */
async function observed(team: Team, what: string, change: () => void): Promise<string[]> {
  team.take()
  await pause(WINDOW_MS)
  const before = team.take()
  const changedMs = performance.now()
  change()
  await team.settled()
  await pause(WINDOW_MS - (performance.now() - changedMs))
  const after = team.take()
  const both = before.map((arrivals, partition) => [...arrivals, ...(after[partition] ?? [])])
  const isKept = both.map((arrivals) => new Set(arrivals.map(({ member }) => member)).size === 1)
  const kept = (windows: readonly Arrival[][]) => windows.filter((_, index) => isKept[index])
  const moves = both.flatMap((arrivals) => handOverOf(arrivals) ?? [])
  const unread = moves.map(({ leftMs, againMs }) => againMs - leftMs)
  const gapMs = (windows: readonly Arrival[][]) => Math.max(...kept(windows).map(longestGapMs))
  return [
    what,
    String(kept(both).length),
    gapMs(before).toFixed(0),
    // The gap that the change falls into counts as after it.
    gapMs(
      after.map((arrivals, index) => [...(before[index] ?? []).slice(-1), ...arrivals]),
    ).toFixed(0),
    String(moves.length),
    median(unread).toFixed(0),
    Math.max(...unread).toFixed(0),
    (Math.max(...moves.map(({ againMs }) => againMs)) - changedMs).toFixed(0),
  ]
}

type Arrival = { readonly member: number; readonly atMs: number }

function longestGapMs(arrivals: readonly Arrival[]): number {
  const gaps = arrivals.slice(1).map(({ atMs }, index) => atMs - (arrivals[index]?.atMs ?? atMs))
  return Math.max(0, ...gaps)
}

/** The last record in the old hands, and the first in the new ones; undefined: it stayed. */
function handOverOf(arrivals: readonly Arrival[]) {
  const first = arrivals[0]
  const at = arrivals.findIndex(({ member }) => member !== first?.member)
  const left = arrivals[at - 1]
  const again = arrivals[at]
  if (left === undefined || again === undefined) return undefined
  return { leftMs: left.atMs, againMs: again.atMs }
}

/** Members of one group, each with connections of its own, and when each partition was read by whom. */
class Team implements AsyncDisposable {
  readonly #brokers: string
  readonly #members: { readonly client: Client; readonly consumer: Consumer<string> }[] = []
  #arrivals = none()
  #gone = 0

  constructor(brokers: string) {
    this.#brokers = brokers
  }

  join(): void {
    const client = new Client({
      brokers: this.#brokers,
      clientId: `member-${this.#members.length}`,
    })
    const consumer = client.consumer({ group: 'team', topics: [TOPIC], start: 'earliest' })
    const member = this.#members.push({ client, consumer })
    void this.#read(consumer, member)
  }

  async #read(consumer: Consumer<string>, member: number): Promise<void> {
    for await (const { partition } of consumer.batches())
      this.#arrivals[partition]?.push({ member, atMs: performance.now() })
  }

  /** The first of them. */
  leave(): void {
    this.#gone = 1
    void this.#members[0]?.client.close()
  }

  /** Every partition is read by the one it is assigned to, and as many by each. */
  async settled(): Promise<void> {
    while (!this.#isSettled) await pause(100)
  }

  get #isSettled(): boolean {
    const staying = this.#members.slice(this.#gone)
    const least = Math.floor(PARTITIONS / staying.length)
    const owners = new Map<number, number>()
    for (const [index, { consumer }] of staying.entries()) {
      const partitions = consumer.assignment()
      if (partitions.length < least) return false
      for (const { partition } of partitions) owners.set(partition, this.#gone + index + 1)
    }
    return this.#arrivals.every((arrivals, partition) => {
      const owner = owners.get(partition)
      return owner !== undefined && arrivals.at(-1)?.member === owner
    })
  }

  /** Since the last call, by partition. */
  take(): Arrival[][] {
    const arrivals = this.#arrivals
    this.#arrivals = none()
    return arrivals
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#members.map(({ client }) => client.close()))
  }
}

function none(): Arrival[][] {
  return Array.from({ length: PARTITIONS }, () => [])
}
