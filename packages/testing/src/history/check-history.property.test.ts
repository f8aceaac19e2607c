// A log that keeps every promise writes histories in which nothing is found; one that breaks one is found out.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkHistory } from './check-history.ts'
import type { Operation, Polled } from './operation.ts'

const PARTITIONS = ['p-0', 'p-1']
const PRODUCERS = 3
const READERS = [8, 9]

type Sending = { process: number; id: number; partition: string; value: number; fate: Fate }
/** `lost`: never arrives. `unknown`: arrives, and nobody hears of it. */
type Fate = 'acked' | 'refused' | 'unknown' | 'lost'

/** What goes wrong, and what must be found then. Each is done once, at the first occasion. */
const FLAWS = {
  none: [],
  /** A record is gone when it is read the second time; who wrote it was told that it is safe. */
  loses: ['lost-write', 'unseen'],
  /** A retry is appended again. */
  repeats: ['duplicate'],
  /** Refused for good, and appended. */
  appendsRefused: ['definite-error-visible'],
  /** Two records of one producer change places before they get their offsets. */
  reorders: ['nonmonotonic-send'],
  invents: ['phantom'],
  /** A reader misses a record. */
  skips: ['poll-skip', 'int-poll-skip'],
  /** A reader is given records again. */
  goesBack: ['nonmonotonic-poll'],
  /** What was read is replaced by another record. */
  rewrites: ['inconsistent-offsets'],
} as const

type Flaw = keyof typeof FLAWS

class Log {
  readonly history: Operation[] = []
  /** By partition: values, the gaps of control batches as undefined. */
  readonly #logs = new Map(PARTITIONS.map((name) => [name, [] as (number | undefined)[]]))
  readonly #sendings: Sending[] = []
  readonly #positions = new Map<string, number>()
  readonly #flaw: Flaw
  #broken = false
  #nextValue = 0

  constructor(flaw: Flaw) {
    this.#flaw = flaw
  }

  get broken(): boolean {
    return this.#broken
  }

  begin(process: number, partition: string, fate: Fate): void {
    const value = this.#nextValue++
    const sending = { process, id: value, partition, value, fate }
    this.#sendings.push(sending)
    this.#add('invoke', process, [{ send: partition, value }], value)
  }

  /** The oldest sending of a partition arrives: a producer's records arrive in their order. */
  arrive(partition: string): void {
    const index = this.#sendings.findIndex((sending) => sending.partition === partition)
    let sending = this.#sendings[index]
    if (sending === undefined) return
    const next = this.#sendings.find(
      (other, position) =>
        position > index &&
        other.partition === partition &&
        other.process === sending?.process &&
        other.fate === 'acked',
    )
    if (sending.fate === 'acked' && next !== undefined && this.#breaks('reorders')) sending = next
    this.#sendings.splice(this.#sendings.indexOf(sending), 1)
    this.#settle(sending)
  }

  #settle({ process, id, partition, value, fate }: Sending): void {
    const log = this.#log(partition)
    const offset = log.length
    const arrives = fate === 'acked' || fate === 'unknown'
    if (arrives || (fate === 'refused' && this.#breaks('appendsRefused'))) log.push(value)
    if (arrives && this.#breaks('repeats')) log.push(value)
    if (arrives && this.#breaks('invents')) log.push(-1)
    const type = { acked: 'ok', refused: 'fail', unknown: 'info', lost: 'info' } as const
    const known = fate === 'acked' ? { offset } : {}
    this.#add(type[fate], process, [{ send: partition, value, ...known }], id)
    if (fate === 'acked' && this.#breaks('loses')) log[offset] = undefined
  }

  gap(partition: string): void {
    this.#log(partition).push(undefined)
  }

  poll(process: number, partition: string, count: number): void {
    const log = this.#log(partition)
    const key = `${process} ${partition}`
    const from = this.#positions.get(key) ?? 0
    const records = recordsOf(log, from).slice(0, count)
    const last = records.at(-1)
    if (records.length > 2 && this.#breaks('skips')) records.splice(records.length - 2, 1)
    this.#positions.set(key, last === undefined ? from : last.offset + 1)
    if (last !== undefined && this.#breaks('goesBack')) this.#positions.set(key, last.offset)
    this.#add('ok', process, [{ poll: partition, records }])
    const other = this.#sendings.find((sending) => sending.partition === partition)
    if (last === undefined || other === undefined || other.fate !== 'lost') return
    if (this.#breaks('rewrites')) log[last.offset] = other.value
  }

  /** Everything settles, and is read to the end. */
  finish(): void {
    for (const partition of PARTITIONS) {
      while (this.#sendings.some((sending) => sending.partition === partition)) {
        this.arrive(partition)
      }
      for (const process of READERS) {
        this.poll(process, partition, Infinity)
        this.poll(process, partition, Infinity)
      }
    }
    const steps = PARTITIONS.map((poll) => ({ poll, records: recordsOf(this.#log(poll), 0) }))
    this.#add('ok', 100, steps, undefined, true)
  }

  #breaks(flaw: Flaw): boolean {
    if (this.#broken || this.#flaw !== flaw) return false
    this.#broken = true
    return true
  }

  #add(
    type: Operation['type'],
    process: number,
    steps: Operation['steps'],
    id?: number,
    final = false,
  ): void {
    const call = steps.some((step) => 'send' in step) ? 'send' : 'poll'
    const timeMs = this.history.length
    this.history.push({ process, timeMs, type, call, steps, id, final })
  }

  #log(partition: string): (number | undefined)[] {
    return this.#logs.get(partition) ?? []
  }
}

function recordsOf(log: readonly (number | undefined)[], from: number): Polled[] {
  return log.flatMap((value, offset) =>
    value === undefined || offset < from ? [] : [{ offset, value }],
  )
}

const partition = fc.constantFrom(...PARTITIONS)
const event = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.integer({ min: 1, max: PRODUCERS }),
        partition,
        fc.constantFrom<Fate>('acked', 'acked', 'acked', 'refused', 'unknown', 'lost'),
      )
      .map((args) => (log: Log) => log.begin(...args)),
  },
  { weight: 4, arbitrary: partition.map((name) => (log: Log) => log.arrive(name)) },
  { weight: 1, arbitrary: partition.map((name) => (log: Log) => log.gap(name)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...READERS), partition, fc.integer({ min: 0, max: 4 }))
      .map((args) => (log: Log) => log.poll(...args)),
  },
)
const events = fc.array(event, { minLength: 10, maxLength: 200 })

function write(flaw: Flaw, steps: readonly ((log: Log) => void)[]): Log {
  const log = new Log(flaw)
  for (const step of steps) step(log)
  log.finish()
  return log
}

test('nothing is found in the history of a log that keeps its promises', () => {
  fc.assert(
    fc.property(events, (steps) => {
      const report = checkHistory(write('none', steps).history)
      expect(report.anomalies).toEqual([])
    }),
    { numRuns: 300 },
  )
})

for (const [flaw, kinds] of Object.entries(FLAWS)) {
  if (kinds.length === 0) continue
  test(`a log that ${flaw} once is found out: ${kinds.join(' or ')}`, () => {
    let found = 0
    fc.assert(
      fc.property(events, (steps) => {
        const log = write(flaw as Flaw, steps)
        const { anomalyCounts } = checkHistory(log.history)
        if (!log.broken) {
          expect(anomalyCounts).toEqual({})
          return
        }
        found++
        expect(kinds.filter((kind) => anomalyCounts[kind] !== undefined)).not.toEqual([])
      }),
      { numRuns: 200 },
    )
    expect(found).toBeGreaterThan(0)
  })
}
