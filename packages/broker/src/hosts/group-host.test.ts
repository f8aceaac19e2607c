import type { GroupRequest } from '@minikafka/coordinator'
import type { Env } from '@minikafka/platform'
import { MinikafkaError } from '@minikafka/protocol'
import { createWorld, type World } from '@minikafka/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LiveConfig, resolveTopic } from '../config/index.ts'
import { DataDirectory } from '../log/index.ts'
import { type Partition, Partitions } from '../partition/index.ts'
import { decisionBatch } from './decision-batch.ts'
import { GroupClock } from './group-clock.ts'
import { GroupHost } from './group-host.ts'
import type { Decided, Machine, RecordCodec } from './machine.ts'

const TOPIC_ID = '0b5e7a0e-54c8-4d5a-9d0f-3c1d5e8a7b11'
const NODE = 'broker'

/** Counts what was written for a group: heartbeats of epoch 0 and commits write, ticks write where one is due. */
class Counter implements Machine<string> {
  readonly counts = new Map<string, number>()
  readonly replayed: [number, string][] = []
  readonly handled: string[] = []
  readonly wakes = new Map<string, number>()
  loadedAtMs: number[] = []
  broken = false

  handle(request: GroupRequest, nowMs: number): Decided<string, never> {
    const groupId = 'body' in request ? request.body.groupId : request.groupId
    this.handled.push(`${request.kind} ${groupId}`)
    if (request.kind === 'tick') this.wakes.delete(groupId)
    if (groupId === 'bad') throw new MinikafkaError('UNKNOWN_MEMBER_ID')
    if (groupId === 'stuck' && request.kind !== 'tick') {
      this.wakes.set(groupId, nowMs)
      throw new MinikafkaError('COORDINATOR_NOT_AVAILABLE')
    }
    const isLook = request.kind === 'heartbeat' && request.body.memberEpoch > 0
    if (isLook) this.wakes.set(groupId, nowMs + 15_000)
    const response = { count: this.counts.get(groupId) ?? 0 } as never
    const records = isLook || request.kind === 'expire' ? [] : [groupId]
    return { records, response, wakeAt: this.wakes.get(groupId) }
  }

  replay(offset: number, groupId: string): void {
    if (this.broken) throw new TypeError('broken')
    this.counts.set(groupId, (this.counts.get(groupId) ?? 0) + 1)
    this.replayed.push([offset, groupId])
  }

  loaded(nowMs: number): void {
    this.loadedAtMs.push(nowMs)
  }

  wakeAt(groupId: string): number | undefined {
    return this.wakes.get(groupId)
  }

  get groupCount(): number {
    return this.counts.size
  }

  groupIds(): Iterable<string> {
    return this.counts.keys()
  }
}

const codec: RecordCodec<string> = {
  encode: (record) => ({ key: Buffer.from(record), value: null }),
  decode: (key) => (key.toString() === 'future' ? undefined : key.toString()),
}

let world: World
let env: Env
let partition: Partition
let partitions: Partitions
let machine: Counter
let host: GroupHost<string, Counter>
let failures: number
let slowCount: number
const sender = () => ({ signal: new AbortController().signal })

beforeEach(async () => {
  world = createWorld({ seed: 1, clock: 'jumping' })
  env = world.env(NODE)
  failures = 0
  slowCount = 0
  await world.complete(open())
  host = await world.complete(newHost())
})

afterEach(() => {
  host.resign()
  world.close()
})

async function open(): Promise<void> {
  const config = new LiveConfig({})
  const directory = await DataDirectory.open(env, {
    path: '/data',
    nodeId: 1,
    clusterIdIfNew: 'c',
    tailBytesMax: 1024 * 1024,
    filesOpenMax: 16,
    logger: env.logger,
  })
  await directory.markOpened(0)
  partitions = new Partitions(env, directory, {
    nodeId: 1,
    values: () => config.values,
    holdsLease: () => true,
  })
  const values = resolveTopic(config.values, new Map())
  await partitions.open({ topic: '__kept', topicId: TOPIC_ID, partition: 0, values })
  await lead(1, 1)
  const found = partitions.get(TOPIC_ID, 0)
  if ('error' in found) throw new Error(found.message)
  partition = found
}

function lead(leaderId: number, leaderEpoch: number, isr = [leaderId]): Promise<void> {
  return partitions.lead(TOPIC_ID, 0, {
    leaderId,
    leaderEpoch,
    partitionEpoch: leaderEpoch,
    isr,
    minIsr: 1,
  })
}

async function newHost(of: Env = env): Promise<GroupHost<string, Counter>> {
  machine = new Counter()
  const made = new GroupHost(of, partition, {
    machine,
    codec,
    time: new GroupClock(env.clock),
    room: { waiting: 0, waitingMax: 100 },
    onSlow: () => slowCount++,
    onFailed: () => failures++,
  })
  await made.load()
  return made
}

/** The machine's decisions take so long. */
function deciding(tookMs: number): Env {
  const { clock } = env
  return {
    ...env,
    clock: {
      wallMs: () => clock.wallMs(),
      monotonicMs: () => clock.monotonicMs() + machine.handled.length * tookMs,
      timer: (delayMs, callback) => clock.timer(delayMs, callback),
      soon: (callback) => clock.soon(callback),
    },
  }
}

function beat(groupId: string, memberEpoch = 0, from = sender()) {
  const body = { groupId, memberEpoch } as never
  const answer = host.ask({ kind: 'heartbeat', body, clientId: '', clientHost: '' }, from)
  return answer as unknown as { count: number } | Promise<{ count: number }>
}

function commit(groupId: string, from = sender()) {
  return host.ask({ kind: 'commit', body: { groupId } as never }, from)
}

test('what is decided is answered when it is durable and applied', async () => {
  world.disk(NODE).stall('1s')
  const answer = beat('g')
  expect([machine.counts.get('g'), partition.highWatermark]).toEqual([undefined, 0])
  await world.complete(Promise.resolve(answer))
  expect([machine.counts.get('g'), partition.highWatermark]).toEqual([1, 1])
  expect(partition.log?.durableEndOffset).toBe(1)
})

test('what needs no record is answered within the call', () => {
  expect(beat('g', 5)).toEqual({ count: 0 })
  expect(partition.log?.queuedEndOffset).toBe(0)
})

test.each([
  [10, 0],
  [11, 2],
])('decisions of %d ms: %d of two are counted as slow', async (tookMs, count) => {
  host.resign()
  host = await world.complete(newHost(deciding(tookMs)))
  void beat('g', 5)
  void beat('g', 5)
  expect(slowCount).toBe(count)
})

test('commits of many groups share a sync', async () => {
  let syncs = 0
  const all = Array.from({ length: 50 }, (_, index) => commit(`g${index}`))
  world.disk(NODE).stall('100ms')
  partition.onReadable(() => syncs++)
  await world.complete(Promise.all(all))
  expect(machine.replayed.map(([offset]) => offset)).toEqual(all.map((_, index) => index))
  expect(syncs).toBeLessThan(5)
})

test('a refusal writes nothing and stops nobody', async () => {
  expect(() => beat('bad')).toThrow(expect.objectContaining({ name: 'UNKNOWN_MEMBER_ID' }))
  await world.complete(Promise.resolve(beat('g')))
  expect(machine.counts.get('g')).toBe(1)
})

test('after the deadline the answer is that it may be; the key is blocked until it is', async () => {
  world.disk(NODE).stall('8s')
  const both = Promise.allSettled([beat('g'), beat('g')])
  expect(await world.complete(both)).toMatchObject([
    { reason: { name: 'REQUEST_TIMED_OUT', outcome: 'unknown' } },
    { reason: { name: 'REQUEST_TIMED_OUT', outcome: 'not-written' } },
  ])
  expect(machine.handled).toEqual(['heartbeat g'])
  await world.clock.advance('4s')
  // The second one had its answer: it is not done behind its asker's back.
  expect([machine.counts.get('g'), machine.handled.length]).toEqual([1, 1])
  await world.complete(Promise.resolve(beat('g')))
  expect(machine.counts.get('g')).toBe(2)
})

test('a request of a connection that closed while it waited is dropped', async () => {
  world.disk(NODE).stall('1s')
  const connection = new AbortController()
  const both = Promise.allSettled([beat('g'), beat('g', 0, { signal: connection.signal })])
  connection.abort()
  expect(await world.complete(both)).toMatchObject([
    { status: 'fulfilled' },
    { reason: { name: 'CLOSED' } },
  ])
  expect(machine.handled).toEqual(['heartbeat g'])
})

test('a full disk refuses by its name, and nothing changed', async () => {
  partitions.space = 'full'
  await world.complete(Promise.resolve(beat('g')))
  partitions.space = 'spent'
  await expect(world.complete(Promise.resolve(commit('g')))).rejects.toMatchObject({
    name: 'STORAGE_FULL',
  })
  partitions.space = 'enough'
  await world.complete(Promise.resolve(commit('g')))
  expect(machine.counts.get('g')).toBe(2)
})

test('a write that a full disk refuses midway is as if it had never been', async () => {
  await world.complete(Promise.resolve(commit('g')))
  world.disk(NODE).fill(0)
  await expect(world.complete(Promise.resolve(commit('g')))).rejects.toMatchObject({
    name: 'STORAGE_FULL',
  })
  world.disk(NODE).heal()
  await world.complete(Promise.resolve(commit('g')))
  expect(machine.replayed).toEqual([
    [0, 'g'],
    [1, 'g'],
  ])
  host = await world.complete(newHost())
  expect(machine.counts.get('g')).toBe(2)
})

test('a log that fails leaves the answer unknown and the host resigned', async () => {
  world.disk(NODE).stall('1s')
  const answer = Promise.resolve(commit('g'))
  partition.goOffline('KAFKA_STORAGE_ERROR', 'the disk failed')
  await expect(world.complete(answer)).rejects.toMatchObject({ name: 'NOT_COORDINATOR' })
  expect(() => commit('g')).toThrow(expect.objectContaining({ name: 'COORDINATOR_NOT_AVAILABLE' }))
  expect(machine.counts.size).toBe(0)
})

test('who is no longer leader resigns: parked answers and later ones are NOT_COORDINATOR', async () => {
  world.disk(NODE).stall('1s')
  const parked = [Promise.resolve(beat('g')), Promise.resolve(beat('g'))]
  const settled = Promise.allSettled(parked)
  host.resign()
  const answers = await world.complete(settled)
  expect(answers).toMatchObject([
    { reason: { name: 'NOT_COORDINATOR' } },
    { reason: { name: 'NOT_COORDINATOR' } },
  ])
  await world.complete(lead(2, 2))
  expect(() => beat('g')).toThrow(expect.objectContaining({ name: 'NOT_COORDINATOR' }))
  expect(machine.counts.size).toBe(0)
})

test('a load replays all that is committed, and every deadline starts anew', async () => {
  for (const groupId of ['a', 'b', 'a', 'future'])
    await world.complete(Promise.resolve(commit(groupId)))
  host.resign()
  host = await world.complete(newHost())
  expect(machine.replayed).toEqual([
    [0, 'a'],
    [1, 'b'],
    [2, 'a'],
  ])
  expect(machine.loadedAtMs).toHaveLength(1)
})

/** A host that loads, and waits for a replica that does not come: nothing of its epoch is committed. */
async function waitingHost(): Promise<{
  host: GroupHost<string, Counter>
  loading: Promise<void>
}> {
  await world.complete(lead(1, 2, [1, 2]))
  const { compress, clock } = env
  const batch = decisionBatch(compress, clock.wallMs(), [codec.encode('g')])
  await world.complete(Promise.resolve(partition.produce(batch, 1, 1000)))
  await world.complete(lead(1, 3, [1, 2]))
  const waiting = new GroupHost(env, partition, {
    machine: new Counter(),
    codec,
    time: new GroupClock(env.clock),
    room: { waiting: 0, waitingMax: 100 },
    onSlow: () => slowCount++,
    onFailed: () => failures++,
  })
  const loading = waiting.load()
  await world.settled()
  expect([waiting.isLoading, partition.highWatermark]).toEqual([true, 0])
  return { host: waiting, loading }
}

test('a load that waits for what is committed ends with the leadership', async () => {
  const { host, loading } = await waitingHost()
  await world.complete(lead(2, 4))
  host.resign()
  await world.complete(loading)
  expect([host.isOver, failures]).toEqual([true, 0])
})

test('a load that waits for what is committed ends with the broker', async () => {
  const { host, loading } = await waitingHost()
  host.resign()
  await world.complete(loading)
  expect(failures).toBe(0)
})

test('while it loads nobody is served', async () => {
  await world.complete(Promise.resolve(commit('g')))
  host.resign()
  const making = newHost()
  // The host of `making` is not returned before it is loaded: what it says meanwhile is asked of another one.
  const other = new GroupHost(env, partition, {
    machine,
    codec,
    time: new GroupClock(env.clock),
    room: { waiting: 0, waitingMax: 1 },
    onSlow: () => slowCount++,
    onFailed: () => {},
  })
  expect(other.isLoading).toBe(true)
  expect(() => other.machine).toThrow(
    expect.objectContaining({ name: 'COORDINATOR_LOAD_IN_PROGRESS' }),
  )
  host = await world.complete(making)
})

test('what cannot be applied is not served from: the host fails and says so', async () => {
  machine.broken = true
  await expect(world.complete(Promise.resolve(commit('g')))).rejects.toMatchObject({
    name: 'NOT_COORDINATOR',
  })
  expect([failures, host.isOver]).toEqual([1, true])
})

test('a group is woken when it wants to be, and not before its last heartbeat says so', async () => {
  void beat('g', 5)
  await world.clock.advance('10s')
  void beat('g', 5)
  await world.clock.advance('10s')
  expect(machine.handled.filter((what) => what.startsWith('tick'))).toEqual([])
  await world.clock.advance('6s')
  expect(machine.handled.filter((what) => what.startsWith('tick'))).toEqual(['tick g'])
})

test('what is in the way of a decision is for a tick to clear, and that comes at once', async () => {
  expect(() => beat('stuck')).toThrow(
    expect.objectContaining({ name: 'COORDINATOR_NOT_AVAILABLE' }),
  )
  await world.clock.advance('1s')
  expect(machine.handled).toEqual(['heartbeat stuck', 'tick stuck'])
})

test('a wall clock that is set ends no session: deadlines start anew', async () => {
  void beat('g', 5)
  world.clockOf(NODE).jump('1h')
  await world.clock.advance('1s')
  void beat('other', 5)
  expect(machine.loadedAtMs).toHaveLength(2)
  expect(machine.handled.filter((what) => what.startsWith('tick'))).toEqual([])
})

test('news of one kind are told once while they wait', async () => {
  world.disk(NODE).stall('1s')
  const first = Promise.resolve(beat('g'))
  for (let time = 0; time < 5; time++) host.tell('g', 'topicsChanged')
  await world.complete(first)
  await world.settled()
  expect(machine.handled).toEqual(['heartbeat g', 'topicsChanged g'])
})
