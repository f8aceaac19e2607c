// What consumers of a group must do, by the numbers of the table of behaviours: what is committed, and where they
// begin. The real broker, in a simulated world.
import diagnostics from 'node:diagnostics_channel'
import { type Consumer, json, topic } from '@minikafka/client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { GroupStage, latch, numbers, ONE, take, textOf } from './group-stage.ts'

let stage: GroupStage

beforeEach(async () => {
  stage = await GroupStage.start()
})

afterEach(() => stage.close())

/** Longer than two commit intervals. */
const COMMITS_MS = 2500

async function committedSoon(): Promise<number | undefined> {
  await stage.pass(COMMITS_MS)
  return await stage.committed()
}

// --- 1: a commit never passes an unfinished record -----------------------------------------------

test('1: fetching finishes nothing, and where a group begins is kept before anything is read', async () => {
  await stage.produce('one', numbers(0, 10))
  await using reader = stage.member()
  await stage.client.admin().resetOffsets('billing', { topics: ['one'], to: { last: 8 } })
  const iterator = reader[Symbol.asyncIterator]()
  await iterator.next()
  expect(await committedSoon()).toBe(2)
  await iterator.return?.()
})

test('1: in a loop the record in hand is not finished, unless it is acked', async () => {
  await stage.produce('one', numbers(0, 10))
  await using reader = stage.member()
  for await (const record of reader) {
    if (record.offset < 3) continue
    expect(await committedSoon()).toBe(3)
    record.ack()
    expect(await committedSoon()).toBe(4)
    break
  }
})

test('1: what poll() gave is finished when something is asked for again, or acked before', async () => {
  await stage.produce('one', numbers(0, 10))
  await using reader = stage.member()
  const records = await reader.poll({ max: 4, maxWaitMs: 10_000 })
  expect(await committedSoon()).toBe(0)
  records[1]?.ack()
  expect(await committedSoon()).toBe(0)
  records[0]?.ack()
  expect(await committedSoon()).toBe(2)
  await reader.poll({ max: 1 })
  expect(await committedSoon()).toBe(4)
})

test('1: what poll() gave last is finished by close()', async () => {
  await stage.produce('one', numbers(0, 10))
  const reader = stage.member()
  await reader.poll({ max: 4, maxWaitMs: 10_000 })
  await reader.poll({ max: 3 })
  await reader.close()
  expect(await stage.committed()).toBe(7)
})

test('1: the end of a scope and of the client come after an error too: what poll() gave last is not finished', async () => {
  await stage.produce('one', numbers(0, 10))
  const failing = async () => {
    await using reader = stage.member()
    await reader.poll({ max: 4, maxWaitMs: 10_000 })
    await reader.poll({ max: 3 })
    throw new Error('mine')
  }
  await expect(failing()).rejects.toThrow('mine')
  expect(await stage.committed()).toBe(4)
  const client = stage.another()
  await stage.member({}, client).poll({ max: 4, maxWaitMs: 10_000 })
  await client.close()
  expect(await stage.committed()).toBe(4)
})

test('manual: close() commits nothing of what poll() gave', async () => {
  await stage.produce('one', numbers(0, 10))
  const reader = stage.member({ commit: 'manual' })
  await reader.poll({ max: 4, maxWaitMs: 10_000 })
  await reader.close()
  expect(await stage.committed()).toBeUndefined()
})

test('1: a batch is finished when the next is asked for; acks of its first records pass before', async () => {
  await stage.produce('one', numbers(0, 10))
  await using reader = stage.member()
  const firsts: number[] = []
  for await (const { records } of reader.batches({ maxRecords: 4 })) {
    firsts.push(records[0]?.offset ?? -1)
    expect(await committedSoon()).toBe(firsts.at(-1))
    for (const record of records.slice(0, 2)) record.ack()
    expect(await committedSoon()).toBe((firsts.at(-1) ?? 0) + 2)
    if (firsts.length === 2) break
  }
  expect(firsts).toEqual([0, 4])
})

test('1: a stream that is read commits what was taken from it', async () => {
  await stage.produce('one', numbers(0, 10))
  await using reader = stage.member()
  const stream = reader.readable()
  const seen: string[] = []
  for await (const record of stream) {
    seen.push(textOf(record))
    if (seen.length === 5) break
  }
  // Streams read one ahead of who reads them: never more is committed than was handed out.
  expect(await committedSoon()).toBeLessThanOrEqual(5)
})

test.each(['partition', 'key', 'none'] as const)(
  '1, 16: run() with order %s: one record that is not done holds back the commit, and only what it must',
  async (order) => {
    await stage.produce('one', numbers(0, 50))
    await using reader = stage.member()
    const held = latch()
    const seen: string[] = []
    const running = reader.run(
      async (record) => {
        if (record.offset === 7) await held.opened
        seen.push(textOf(record))
      },
      { concurrency: 4, order },
    )
    await stage.until(() => reader.health().state === 'stable')
    expect(await committedSoon()).toBe(7)
    expect(seen).toHaveLength(order === 'partition' ? 7 : 49)
    held.open()
    expect(await committedSoon()).toBe(50)
    await reader.close()
    await running
  },
)

test('1: a record whose handler fails, and what stands behind it, is not committed by close', async () => {
  await stage.produce('one', numbers(0, 10))
  const reader = stage.member()
  const failing = reader.run(
    ({ offset }) => {
      if (offset === 4) throw new Error('no')
    },
    { concurrency: 3, order: 'none' },
  )
  await expect(failing).rejects.toMatchObject({ name: 'HANDLER_FAILED', offset: 4 })
  await reader.close()
  expect(await stage.committed()).toBe(4)
})

test('a thousand finished records are committed without waiting for the interval', async () => {
  const large = numbers(0, 1500)
  await stage.produce('one', large)
  await using reader = stage.member({ commitIntervalMs: 600_000 })
  const running = reader.run(() => undefined)
  await stage.until(() => reader.nextOffset(ONE) === 1500)
  await stage.pass(300)
  expect(await stage.committed()).toBeGreaterThanOrEqual(1000)
  await reader.close()
  await running
  expect(await stage.committed()).toBe(1500)
})

test('one commit is outstanding, however many are asked for', async () => {
  await stage.produce('one', numbers(0, 30))
  await using reader = stage.member({ commit: 'manual' })
  let outstanding = 0
  let most = 0
  let count = 0
  using _ = stage.broker.intercept('OffsetCommit', async (request, next, { delay }) => {
    count++
    most = Math.max(most, ++outstanding)
    await delay('50ms')
    outstanding--
    return await next(request)
  })
  const commits: Promise<void>[] = []
  for await (const record of reader) {
    commits.push(reader.commit(record))
    if (record.offset === 29) break
  }
  await Promise.all(commits)
  expect(most).toBe(1)
  expect(count).toBeLessThan(30)
  expect(await stage.committed()).toBe(30)
})

test('a commit that waits for its turn while the partition is lost says so', async () => {
  await stage.produce('one', numbers(0, 5))
  const member = stage.member({ commit: 'manual' })
  await take(member, 2)
  const slow = stage.broker.intercept('OffsetCommit', async (request, next, { delay }) => {
    await delay('10s')
    return await next(request)
  })
  const first = member.commit(undefined, { timeoutMs: 60_000 })
  await take(member, 1)
  const second = member.commit(undefined, { timeoutMs: 60_000 })
  const outcomes = Promise.allSettled([first, second])
  const { members } = await stage.client.admin().describeGroup('billing')
  await stage.client.admin().removeMember('billing', members[0]?.memberId ?? '')
  const reasons = (await outcomes).map((one) => one.status === 'rejected' && one.reason.name)
  slow.end()
  expect(reasons).toEqual(['STALE_MEMBER_EPOCH', 'STALE_MEMBER_EPOCH'])
  await member.close()
})

test('2: after a seek it is where the reader went that is committed, also backwards', async () => {
  await stage.produce('one', numbers(0, 10))
  await using reader = stage.member()
  const iterator = reader[Symbol.asyncIterator]()
  for (let n = 0; n < 8; n++) await iterator.next()
  expect(await committedSoon()).toBe(7)
  await reader.seek(ONE, 2)
  expect(await committedSoon()).toBe(2)
  expect((await iterator.next()).value?.offset).toBe(2)
  await iterator.return?.()
})

test('2: a record of the time before a seek that is acked late does not stand for the one in hand', async () => {
  await stage.produce('one', numbers(0, 10))
  await using reader = stage.member()
  const iterator = reader[Symbol.asyncIterator]()
  const before = (await iterator.next()).value
  await reader.seek(ONE, 0)
  expect((await iterator.next()).value?.offset).toBe(0)
  before?.ack()
  expect(await committedSoon()).toBe(0)
  await iterator.return?.()
})

test('a commit carries the leader epoch of the record before it; -1 where that was not read', async () => {
  await stage.produce('one', ['0', '1'])
  // An unclean end begins another leader epoch.
  await stage.broker.kill()
  await stage.broker.restart()
  await stage.produce('one', ['2', '3'])
  await using reader = stage.member({ commit: 'manual' })
  const sent: [number, number][] = []
  using _ = stage.broker.intercept('OffsetCommit', async (request, next) => {
    for (const { offset, leaderEpoch } of request.positions) sent.push([offset, leaderEpoch])
    return await next(request)
  })
  const records = await reader.poll({ max: 3, maxWaitMs: 10_000 })
  for (const record of records) await reader.commit(record)
  await reader.commit([{ ...ONE, nextOffset: 0 }])
  await reader.commit([{ ...ONE, nextOffset: 100 }])
  const [first = -1, , third = -1] = sent.map(([, epoch]) => epoch)
  expect(third).toBeGreaterThan(first)
  expect(first).toBeGreaterThanOrEqual(0)
  expect(sent).toEqual([
    [1, first],
    [2, first],
    [3, third],
    [0, -1],
    [100, -1],
  ])
})

// --- commits by hand -------------------------------------------------------------------------------

test('manual: nothing is committed but by commit(): all finished, records, or offsets', async () => {
  await stage.produce('one', numbers(0, 20))
  const reader = stage.member({ commit: 'manual' })
  const records = await reader.poll({ max: 8, maxWaitMs: 10_000 })
  expect(await committedSoon()).toBeUndefined()
  await reader.commit(records.slice(0, 3))
  expect(await stage.committed()).toBe(3)
  await reader.commit(records[4])
  expect(await stage.committed()).toBe(5)
  await reader.poll({ max: 2 })
  await reader.commit()
  expect(await stage.committed()).toBe(8)
  await reader.commit([{ ...ONE, nextOffset: 1 }])
  expect(await reader.committed()).toEqual([{ ...ONE, nextOffset: 1 }])
  for await (const batch of reader.batches({ maxRecords: 3 })) {
    await batch.commit()
    break
  }
  expect(await stage.committed()).toBe(13)
  await reader.close()
  expect(await stage.committed()).toBe(13)
})

test('a commit by hand that is ahead of what is finished is not taken back by the next one', async () => {
  await stage.produce('one', numbers(0, 10))
  await using reader = stage.member()
  for await (const record of reader) {
    if (record.offset < 5) continue
    await reader.commit([{ ...ONE, nextOffset: 9 }])
    expect(await committedSoon()).toBe(9)
    break
  }
})

test('2: a commit that waited while its partition went and came back does not stand for what came back', async () => {
  await stage.produce('one', numbers(0, 10))
  await using reader = stage.member({ commit: 'manual' })
  const held = latch()
  const sent: number[] = []
  using _ = stage.broker.intercept('OffsetCommit', async (request, next) => {
    sent.push(request.positions[0]?.offset ?? -1)
    if (sent.length === 1) await held.opened
    return await next(request)
  })
  const iterator = reader[Symbol.asyncIterator]()
  const first = (await iterator.next()).value
  const second = (await iterator.next()).value
  // Else the partition would not begin anew before the reader is done with what it has in hand.
  second?.ack()
  const outcome = (commit: Promise<void>) => commit.catch(({ name }: Error) => name)
  const went = outcome(reader.commit(first, { timeoutMs: 60_000 }))
  await stage.until(() => sent.length === 1)
  const waited = outcome(reader.commit(second, { timeoutMs: 60_000 }))
  const lost = new Promise<void>((resolve) => void reader.on('lost', () => resolve()))
  const { members } = await stage.client.admin().describeGroup('billing')
  await stage.client.admin().removeMember('billing', members[0]?.memberId ?? '')
  await lost
  await stage.until(() => reader.health().state !== 'fenced' && reader.assignment().length > 0)
  held.open()
  expect([await went, await waited]).toEqual(['STALE_MEMBER_EPOCH', 'STALE_MEMBER_EPOCH'])
  expect(sent).not.toContain(2)
  expect((await iterator.next()).value?.offset).toBe(0)
  await iterator.return?.()
})

test('what is not this consumer’s is not committed, and words say why', async () => {
  await stage.produce('one', numbers(0, 3))
  await using reader = stage.member({ commit: 'manual' })
  await reader.poll({ maxWaitMs: 10_000 })
  await expect(
    reader.commit([{ topic: 'orders', partition: 0, nextOffset: 1 }]),
  ).rejects.toMatchObject({
    name: 'STALE_MEMBER_EPOCH',
    message: expect.stringMatching(/not assigned to this consumer/),
  })
  await expect(reader.commit([{ ...ONE, nextOffset: -1 }])).rejects.toMatchObject({
    name: 'INVALID_OPTION',
  })
  await using none = stage.member({ commit: 'none', group: 'none' })
  await take(none, 2)
  await expect(none.commit()).rejects.toMatchObject({
    name: 'INVALID_OPTION',
    message: expect.stringMatching(/'none'/),
  })
  await none.close()
  expect(await stage.client.admin().lag('none')).toEqual([])
})

test('a commit meets a coordinator that is away, and waits for it', async () => {
  await stage.produce('one', numbers(0, 5))
  await using reader = stage.member({ commit: 'manual' })
  const records = await reader.poll({ maxWaitMs: 10_000 })
  await stage.broker.kill()
  const committing = reader.commit(records)
  await stage.pass(3000)
  await stage.broker.heal()
  await committing
  expect(await stage.committed()).toBe(5)
})

// --- where partitions begin ------------------------------------------------------------------------

test('start is for partitions there at first; what comes later begins at its earliest', async () => {
  await stage.produce('one', numbers(0, 5))
  await using reader = stage.member({ start: 'latest' })
  const seen: string[] = []
  const running = reader.run((record) => void seen.push(textOf(record)))
  await stage.until(() => reader.health().state === 'stable')
  await stage.pass(COMMITS_MS)
  await stage.client.admin().addPartitions('one', 2)
  await stage.produce('one', ['new'], 1)
  await stage.until(() => seen.length === 1)
  expect(seen).toEqual(['new'])
  await reader.close()
  await running
  // Where `latest` was is kept: what came between two members is not lost.
  await stage.produce('one', ['between'])
  await using next = stage.member({ start: 'latest' })
  expect(await take(next, 1)).toEqual(['between'])
})

test('start error: where nothing is committed the reader is told, and may seek', async () => {
  await stage.produce('one', numbers(0, 5))
  await using reader = stage.member({ start: 'error' })
  await expect(take(reader, 1)).rejects.toMatchObject({
    name: 'OFFSET_OUT_OF_RANGE',
    message: expect.stringMatching(/nothing there, and start is 'error'/),
  })
  await reader.seek(ONE, 3)
  expect(await take(reader, 1)).toEqual(['3'])
})

test('a pattern is matched by the broker, and topics that come later are read from their start', async () => {
  await stage.produce('one', ['a'])
  await using reader = stage.member({ pattern: 'on.*', start: 'latest' })
  const seen: string[] = []
  const running = reader.run((record) => void seen.push(`${record.topic} ${textOf(record)}`))
  await stage.until(() => reader.health().state === 'stable')
  await stage.client.admin().createTopic('onward')
  await stage.produce('onward', ['b'])
  await stage.produce('one', ['c'])
  await stage.until(() => seen.length === 2)
  expect(seen.sort()).toEqual(['one c', 'onward b'])
  await reader.close()
  await running
})

test('a bad pattern is told to the reader', async () => {
  await using reader = stage.member({ pattern: '(' })
  await expect(reader.poll({ maxWaitMs: 10_000 })).rejects.toMatchObject({
    name: 'INVALID_REGULAR_EXPRESSION',
  })
})

test('34: a topic that is not there fails within seconds and names the nearest', async () => {
  await using reader = stage.member({ topics: ['order'] })
  await expect(reader.poll({ maxWaitMs: 60_000 })).rejects.toMatchObject({
    name: 'UNKNOWN_TOPIC_OR_PARTITION',
    message: expect.stringContaining("'orders'"),
  })
})

test('assigned by hand, a group keeps offsets only', async () => {
  await stage.produce('one', numbers(0, 10))
  const byHand = (): Consumer<string> =>
    stage.client.consumer({ group: 'hand', assign: [{ ...ONE, start: 'earliest' }] })
  const first = byHand()
  expect(await take(first, 4)).toEqual(numbers(0, 4))
  await first.close()
  await using second = byHand()
  expect(await take(second, 2)).toEqual(['4', '5'])
  expect(await second.committed()).toEqual([{ ...ONE, nextOffset: 4 }])
  expect((await stage.client.admin().describeGroup('hand')).members).toEqual([])
})

test('onAssigned may seek before the first record, and is awaited', async () => {
  await stage.produce('one', numbers(0, 10))
  let isDone = false
  await using reader = stage.member({
    onAssigned: async (partitions, { seek }) => {
      expect(partitions).toEqual([ONE])
      await seek(ONE, 6)
      await stage.pass(500)
      isDone = true
    },
  })
  for await (const { offset } of reader) {
    expect({ offset, isDone }).toEqual({ offset: 6, isDone: true })
    break
  }
})

test('a hook that throws is told, and ends nothing', async () => {
  await stage.produce('one', numbers(0, 3))
  const errors: string[] = []
  const reader = stage.member({
    onAssigned() {
      throw new Error('mine')
    },
    onRevoked: () => Promise.reject(new Error('mine too')),
  })
  reader.on('error', ({ message }) => errors.push(message))
  expect(await take(reader, 2)).toEqual(['0', '1'])
  await reader.close()
  expect(errors).toEqual(['onAssigned failed: mine', 'onRevoked failed: mine too'])
  expect(await stage.committed()).toBe(2)
})

// --- policies --------------------------------------------------------------------------------------

test('13, 14: what the policy lets pass is committed past, a record that cannot be decoded in its place', async () => {
  await stage.produce('one', ['{"n":0}', '{', '{"n":2}', '{"n":3}'])
  const typed = topic('one', { value: json<{ n: number }>() })
  const group = { group: 'billing', topics: [typed], start: 'earliest' } as const
  const strict = stage.client.consumer(group)
  await expect(strict.run(() => undefined)).rejects.toMatchObject({
    name: 'DESERIALIZATION_FAILED',
    offset: 1,
  })
  await strict.close()
  expect(await stage.committed()).toBe(1)
  await using lenient = stage.client.consumer({ ...group, onError: 'skip' })
  const seen: number[] = []
  const running = lenient.run(({ value: { n } }) => {
    if (n === 2) throw new Error('no')
    seen.push(n)
  })
  await stage.until(() => seen.length === 1)
  expect(seen).toEqual([3])
  await lenient.close()
  await running
  expect(await stage.committed()).toBe(4)
})

test('15: an offset passes a dead letter only after the dead-letter topic has acknowledged it', async () => {
  await stage.produce('one', numbers(0, 5))
  await stage.client.admin().createTopic('dead')
  const written = latch()
  using _ = stage.broker.intercept('Produce', async (request, next) => {
    await written.opened
    return await next(request)
  })
  await using reader = stage.member({ onError: 'dead-letter', deadLetter: 'dead' })
  const seen: string[] = []
  const running = reader.run(
    (record) => {
      if (record.offset === 2) throw new Error('no')
      seen.push(textOf(record))
    },
    { concurrency: 3, order: 'none' },
  )
  await stage.until(() => seen.length === 4)
  expect(await committedSoon()).toBe(2)
  written.open()
  expect(await committedSoon()).toBe(5)
  const [letter] = await stage.broker.read('dead')
  expect(String(letter?.value)).toBe('2')
  const headers = new Map([...(letter?.headers ?? [])].map(([key, value]) => [key, String(value)]))
  expect(headers.get('minikafka.dlq.group')).toBe('billing')
  expect(headers.get('minikafka.dlq.offset')).toBe('2')
  await reader.close()
  await running
})

// --- slow and stalled ------------------------------------------------------------------------------

test('maxProcessingMs: a record that takes longer costs the member its partitions, until its handler is done', async () => {
  await stage.produce('one', numbers(0, 3))
  const lost: unknown[] = []
  const slow = stage.member({
    maxProcessingMs: 20_000,
    onLost: (partitions) => lost.push(partitions),
  })
  const done = latch()
  const running = slow.run(async ({ offset }) => {
    if (offset === 1) await done.opened
  })
  await stage.until(() => slow.health().state === 'stable')
  await using heir = stage.member({}, stage.another())
  expect(await take(heir, 1)).toEqual(['1'])
  expect(lost).toEqual([[ONE]])
  expect(slow.health().state).toBe('fenced')
  done.open()
  await stage.until(() => slow.health().state === 'stable')
  await slow.close()
  await running
})

test('10: a reader that waits for the coordinator says so', async () => {
  await stage.produce('one', numbers(0, 3))
  const refusing = stage.broker.intercept('OffsetFetch', () => ({
    error: 'COORDINATOR_LOAD_IN_PROGRESS',
  }))
  await using reader = stage.member({ stalledAfterMs: 5000 })
  const stalls: unknown[] = []
  reader.on('stalled', ({ waitingFor }) => stalls.push(waitingFor))
  const reading = take(reader, 1)
  await stage.until(() => stalls.length > 0)
  expect(stalls).toEqual(['coordinator'])
  expect(reader.health().partitions).toMatchObject([{ waitingFor: 'coordinator' }])
  refusing.end()
  expect(await reading).toEqual(['0'])
})

test('lag is counted from what is committed, and health tells of heartbeats', async () => {
  await stage.produce('one', numbers(0, 10))
  await using reader = stage.member()
  await take(reader, 4)
  await reader.commit()
  const [lag] = await reader.lag()
  expect(lag).toMatchObject({ ...ONE, committed: 4, end: 10, lag: 6 })
  expect(lag?.lagMs).toBeGreaterThan(0)
  await stage.pass(10_000)
  expect(reader.health().lastHeartbeatMsAgo).toBeLessThan(4000)
  expect(reader.health().state).toBe('stable')
})

test('diagnostics: partitions that come and go are told on minikafka:rebalance', async () => {
  const told: string[] = []
  const listener = (message: unknown) => {
    const { kind, group, partitions } = message as { kind: string; group: string; partitions: [] }
    told.push(`${group} ${kind} ${partitions.length}`)
  }
  diagnostics.subscribe('minikafka:rebalance', listener)
  const reader = stage.member()
  await stage.produce('one', ['a'])
  await take(reader, 1)
  await reader.close()
  diagnostics.unsubscribe('minikafka:rebalance', listener)
  expect(told).toEqual(['billing assigned 1', 'billing revoked 1'])
})
