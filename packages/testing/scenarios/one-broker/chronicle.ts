// What the clients saw, in the order in which they saw it, for the history checker: a black box beside the white-box
// oracles. Enters: sends and their ends, polls. Leaves: a history; topics that were deleted or may have lost records with
// the power are left out of it, for nobody promised anything there.
import { checkHistory, type Operation } from '@minikafka/testing'
import { Violation } from '../stage/violation.ts'
import type { Found, Ledger, Sent } from './ledger.ts'
import { isCompacted } from './topic-plans.ts'

type Event =
  | { readonly kind: 'sends' | 'settles'; readonly sent: Sent; readonly timeMs: number }
  | {
      readonly kind: 'moves' | 'polls' | 'final'
      readonly reader: string
      readonly found: readonly Found[]
      readonly partitions: readonly string[]
      readonly timeMs: number
    }

const TOLD = 5

export class Chronicle {
  readonly #now: () => number
  readonly #events: Event[] = []
  /** Number of each client. */
  readonly #processes = new Map<string, number>()

  constructor(now: () => number) {
    this.#now = now
  }

  sends(sent: Sent): void {
    this.#events.push({ kind: 'sends', sent, timeMs: this.#now() })
  }

  settles(sent: Sent): void {
    this.#events.push({ kind: 'settles', sent, timeMs: this.#now() })
  }

  /** A reader goes on anywhere in these partitions: it sought, or began anew. */
  moves(reader: string, partitions: readonly string[]): void {
    this.#events.push({ kind: 'moves', reader, found: [], partitions, timeMs: this.#now() })
  }

  polls(reader: string, found: readonly Found[]): void {
    this.#events.push({ kind: 'polls', reader, found, partitions: [], timeMs: this.#now() })
  }

  /** All that is in the log in the end. `partitions`: also those in which there is nothing. */
  final(found: readonly Found[], partitions: readonly string[]): void {
    this.#events.push({ kind: 'final', reader: 'judge', found, partitions, timeMs: this.#now() })
  }

  /** Errors: Violation with the first anomaly. */
  check(ledger: Ledger): void {
    const places = this.#placesOfDoubtful()
    const isPromised = (topic: string) => {
      const life = ledger.life(topic)
      return life.cuts.length === 0 && life.deletedMs === Number.NEGATIVE_INFINITY
    }
    const history = this.#events.flatMap(
      (event) => this.#operationOf(event, places, isPromised) ?? [],
    )
    const shrinking = [...ledger.topics.values()]
      .filter(({ mayShrink, plan }) => mayShrink || isCompacted(plan.name))
      .map(({ plan }) => plan.name)
    const names = new Set(shrinking)
    const forgetful = new Set(
      history.flatMap(({ steps }) => steps.map((step) => ('send' in step ? step.send : step.poll))),
    )
    const { anomalies } = checkHistory(history, {
      forgetful: [...forgetful].filter((name) => names.has(topicOf(name))),
    })
    const [first] = anomalies
    if (first === undefined) return
    const texts = anomalies.slice(0, TOLD).map(({ kind, text }) => `${kind}: ${text}`)
    throw new Violation(first.kind, `history of ${history.length} operations: ${texts.join('; ')}`)
  }

  /** A send of unknown outcome names no partition; where its value was found tells. */
  #placesOfDoubtful(): ReadonlyMap<string, number> {
    const places = new Map<string, number>()
    for (const event of this.#events) {
      if ('sent' in event) continue
      for (const { id, partition } of event.found) places.set(id, partition)
    }
    return places
  }

  #operationOf(
    event: Event,
    places: ReadonlyMap<string, number>,
    isPromised: (topic: string) => boolean,
  ): Operation | undefined {
    if ('sent' in event) {
      if (!isPromised(event.sent.topic)) return undefined
      return this.#sendOf(event.sent, event.kind === 'sends', places, event.timeMs)
    }
    const { kind, reader, timeMs } = event
    const process = this.#process(reader)
    if (kind === 'moves')
      return {
        process,
        timeMs,
        type: 'ok',
        call: 'assign',
        steps: [],
        rebalanced: event.partitions,
      }
    const found = event.found.filter(({ topic }) => isPromised(topic))
    const steps = byPartition(
      found,
      event.partitions.filter((name) => isPromised(topicOf(name))),
    )
    if (steps.length === 0) return undefined
    return {
      process,
      timeMs,
      type: 'ok',
      call: 'poll',
      steps,
      ...(kind === 'final' ? { final: true } : {}),
    }
  }

  #sendOf(
    sent: Sent,
    isBegin: boolean,
    places: ReadonlyMap<string, number>,
    timeMs: number,
  ): Operation {
    const partition = sent.partition >= 0 ? sent.partition : (places.get(sent.id) ?? 0)
    const offset = isBegin || sent.offset < 0 ? undefined : sent.offset
    const step = {
      send: `${sent.topic}-${partition}`,
      value: sent.id,
      ...(offset === undefined ? {} : { offset }),
    }
    const outcomes = { open: 'info', maybe: 'info', acked: 'ok', 'not-written': 'fail' } as const
    const type = isBegin ? 'invoke' : outcomes[sent.state]
    const base = {
      process: this.#process(sent.producer),
      timeMs,
      type,
      call: 'send',
      steps: [step],
      id: sent.number,
    } as const
    return sent.idempotent ? base : { ...base, plain: true }
  }

  #process(client: string): number {
    const process = this.#processes.get(client) ?? this.#processes.size
    this.#processes.set(client, process)
    return process
  }
}

function byPartition(
  found: readonly Found[],
  names: readonly string[],
): Extract<Operation['steps'][number], { poll: string }>[] {
  const records = new Map<string, { offset: number; value: string }[]>(
    names.map((name) => [name, []]),
  )
  for (const { topic, partition, offset, id } of found) {
    const name = `${topic}-${partition}`
    const list = records.get(name) ?? []
    records.set(name, list)
    list.push({ offset, value: id })
  }
  return [...records].map(([poll, list]) => ({ poll, records: list }))
}

/** `topic-0-3`: the number is behind the last dash. */
function topicOf(partition: string): string {
  return partition.slice(0, partition.lastIndexOf('-'))
}
