// What consumers of a group must do, by the numbers of the table of behaviours: being in it, and letting go.
// The real broker, in a simulated world.
import type { Consumer, ConsumerRecord, Partitions } from '@minikafka/client'
import { createLogger } from '@minikafka/platform'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { GroupStage, latch, numbers, ONE, partitionsOf, take, textOf } from './group-stage.ts'

let stage: GroupStage

beforeEach(async () => {
  stage = await GroupStage.start()
})

afterEach(() => stage.close())

/** What its life-cycle events said, a line each. */
function eventsOf(consumer: Consumer<string>): string[] {
  const lines: string[] = []
  for (const kind of ['assigned', 'revoked', 'lost'] as const) {
    consumer.on(kind, (partitions: Partitions) => {
      lines.push(`${kind} ${partitionsOf(partitions).join(' ')}`)
    })
  }
  return lines
}

test('a group goes on where it stood, in the next consumer', async () => {
  await stage.produce('one', numbers(0, 10))
  const first = stage.member()
  expect(await take(first, 4)).toEqual(numbers(0, 4))
  await first.close()
  await using second = stage.member()
  expect(await take(second, 2)).toEqual(['4', '5'])
  expect(await second.committed()).toEqual([{ ...ONE, nextOffset: 4 }])
})

test('several groups read the same topic, each at its own place', async () => {
  await stage.produce('one', numbers(0, 5))
  await using billing = stage.member()
  await using search = stage.member({ group: 'search' })
  expect(await take(billing, 3)).toEqual(['0', '1', '2'])
  expect(await take(search, 5)).toEqual(numbers(0, 5))
  await Promise.all([billing.commit(), search.commit()])
  expect(await stage.committed('billing')).toBe(3)
  expect(await stage.committed('search')).toBe(5)
})

test('3: members that come and go hand over where they stand: each record is handled once', async () => {
  const seen: string[] = []
  const work = async (consumer: Consumer<string>) =>
    consumer.run(
      async (record) => {
        await stage.pass(20)
        seen.push(`${record.partition}:${textOf(record)}`)
      },
      { concurrency: 4, order: 'key' },
    )
  for (const partition of [0, 1, 2]) await stage.produce('orders', numbers(0, 100), partition)
  const topics = { topics: ['orders'] }
  const first = stage.member(topics)
  const working = [work(first)]
  await stage.until(() => seen.length > 30)
  const second = stage.member(topics, stage.another())
  working.push(work(second))
  await stage.until(() => seen.length > 80)
  const third = stage.member(topics, stage.another())
  working.push(work(third))
  await stage.until(() => seen.length > 150)
  await first.close()
  await stage.until(() => seen.length >= 300)
  await Promise.all([second.close(), third.close()])
  await Promise.all(working)
  expect([...seen].sort()).toEqual(
    [0, 1, 2].flatMap((p) => numbers(0, 100).map((n) => `${p}:${n}`)).sort(),
  )
})

test('4: a committed offset that is gone stops the reader and says how many records are lost', async () => {
  await stage.produce('one', numbers(0, 10))
  const admin = stage.client.admin()
  await admin.resetOffsets('billing', { to: [{ ...ONE, nextOffset: 2 }] })
  await admin.deleteRecords('one', { 0: 6 })
  await using strict = stage.member()
  await expect(take(strict, 1)).rejects.toMatchObject({
    name: 'OFFSET_OUT_OF_RANGE',
    message: expect.stringContaining('4 records were deleted'),
  })
  await strict.close()
  await using lenient = stage.member({ onOutOfRange: 'earliest' })
  expect(await take(lenient, 2)).toEqual(['6', '7'])
})

test('6: a handler that awaits for ten minutes keeps its partitions, causes no rebalance, and holds nobody up', async () => {
  const options = { topics: ['orders'], fetchMaxWaitMs: 30_000 }
  await using slow = stage.member(options)
  await using other = stage.member(options, stage.another())
  const [begun, done] = [latch(), latch()]
  let signal: AbortSignal | undefined
  const working = slow.run(async (record) => {
    if (signal !== undefined) return
    signal = record.signal
    begun.open()
    await stage.pass(600_000)
    done.open()
  })
  let handled = 0
  const alsoWorking = other.run(() => handled++)
  await stage.until(() => slow.assignment().length > 0 && other.assignment().length > 0)
  const before = await stage.client.admin().describeGroup('billing')
  const events = [eventsOf(slow), eventsOf(other)]
  const partitions = partitionsOf(other.assignment())
  for (const partition of [0, 1, 2]) await stage.produce('orders', numbers(0, 5), partition)
  await begun.opened
  await stage.pass(300_000)
  expect(handled).toBe(5 * partitions.length)
  for (const partition of partitions) await stage.produce('orders', numbers(5, 10), partition)
  await stage.pass(1000)
  expect(handled).toBe(10 * partitions.length)
  await done.opened
  expect(signal?.aborted).toBe(false)
  expect(events).toEqual([[], []])
  const after = await stage.client.admin().describeGroup('billing')
  expect(after.rebalances).toEqual(before.rebalances)
  await Promise.all([slow.close(), other.close()])
  await Promise.all([working, alsoWorking])
})

test('6, 10: a process that stands still for a session loses its partition, is refused its late commit, and is back by itself', async () => {
  await stage.produce('one', numbers(0, 3))
  const frozen = stage.member({ commit: 'manual' }, stage.another())
  const events = eventsOf(frozen)
  const lost: Partitions[] = []
  const records = await frozen.poll({ max: 1, maxWaitMs: 10_000 })
  await using heir = stage.member({}, stage.another())
  const inherited = take(heir, 3)
  stage.broker.world.pause('client-1')
  expect(await inherited).toEqual(numbers(0, 3))
  await heir.commit()
  stage.broker.world.resume('client-1')
  frozen.on('lost', (partitions) => lost.push(partitions))
  const refusal = await frozen.commit(records).catch((error: unknown) => error)
  expect(refusal).toMatchObject({
    name: expect.stringMatching(/UNKNOWN_MEMBER_ID|STALE_MEMBER_EPOCH/),
    message: expect.stringContaining('was fenced'),
  })
  await stage.until(() => events.includes('lost 0'))
  expect(records[0]?.signal.aborted).toBe(true)
  expect(await stage.committed()).toBe(3)
  await stage.until(() => frozen.health().state === 'stable')
  await heir.close()
  // Asking for more is to be done with what it had.
  await frozen.poll({ maxWaitMs: 10_000 })
  expect(events).toEqual(['assigned 0', 'lost 0', 'assigned 0'])
  await frozen.close()
})

test('7: on revoke: nothing more, the signal, handlers finish, commit, onRevoked, release; in this order', async () => {
  for (const partition of [0, 1, 2]) await stage.produce('orders', numbers(0, 50), partition)
  const story: string[] = []
  let revoked = -1
  const first = stage.member({
    topics: ['orders'],
    onRevoked: async (partitions, { signal }) => {
      revoked = partitions[0]?.partition ?? -1
      const kept = await stage.client.admin().lag('billing')
      const { committed } = kept.find(({ partition }) => partition === revoked) ?? {}
      story.push(`onRevoked, committed ${committed}, ${signal.aborted}`)
      await stage.pass(100)
      story.push('onRevoked done')
    },
  })
  const inHand = latch()
  const running = first.run(
    async ({ offset, partition, signal }) => {
      if (offset !== 5) return
      inHand.open()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      await stage.pass(1000)
      story.push(`handler of ${partition} done`)
    },
    { concurrency: 3 },
  )
  await inHand.opened
  first.on('revoked', ([at]) => story.push(`revoked ${at?.partition}`))
  const second = stage.member({ topics: ['orders'] }, stage.another())
  second.on('assigned', ([at]) => story.push(`the other has ${at?.partition}`))
  const next = await take(second, 1)
  expect(story).toEqual([
    `handler of ${revoked} done`,
    'onRevoked, committed 6, false',
    'onRevoked done',
    `revoked ${revoked}`,
    `the other has ${revoked}`,
  ])
  expect(next).toEqual(['6'])
  await second.close()
  await Promise.all([first.close({ timeoutMs: 100 }), running])
})

test('7: on revoke what waits for its key in front of a finished record is handled, too: nobody has to repeat', async () => {
  for (const partition of [0, 1, 2]) await stage.produce('orders', ['k', 'k', 'l'], partition)
  const first = stage.member({ topics: ['orders'] })
  const handled: string[] = []
  const running = first.run(
    async ({ offset, partition, signal }) => {
      if (offset === 0) await new Promise((resolve) => signal.addEventListener('abort', resolve))
      handled.push(`${partition}:${offset}`)
    },
    { concurrency: 6, order: 'key' },
  )
  await stage.until(() => handled.length === 3)
  let gone = -1
  first.on('revoked', ([at]) => (gone = at?.partition ?? -1))
  const second = stage.member({ topics: ['orders'] }, stage.another())
  const other = second.run(({ offset }) => handled.push(`again: ${offset}`))
  await stage.until(() => second.assignment().length === 1 && gone >= 0)
  expect(handled.filter((name) => name.startsWith(`${gone}:`))).toEqual([
    `${gone}:2`,
    `${gone}:0`,
    `${gone}:1`,
  ])
  const lags = await stage.client.admin().lag('billing')
  expect(lags.find(({ partition }) => partition === gone)?.committed).toBe(3)
  await Promise.all([second.close(), other, first.close({ timeoutMs: 100 }), running])
  expect(handled).toHaveLength(9)
})

test('7: a handler that does not come to its end in the rebalance timeout keeps nobody waiting for ever', async () => {
  await stage.produce('one', numbers(0, 3))
  const errors: string[] = []
  const stuck = stage.member({ rebalanceTimeoutMs: 5000 })
  stuck.on('error', ({ name }) => errors.push(name))
  const running = stuck.run(() => new Promise(() => {}))
  await stage.until(() => stuck.health().state === 'stable')
  await using other = stage.member({ instanceId: 'a' }, stage.another())
  const admin = stage.client.admin()
  const polling = other.poll({ maxWaitMs: 60_000 })
  await stage.pass(5000)
  // The group has one partition, and prefers static members only where it deals anew: let it deal.
  await admin.addPartitions('one', 2)
  expect(await polling).toHaveLength(0)
  await stuck.close({ timeoutMs: 1000 })
  expect(await take(other, 1)).toEqual(['0'])
  void running
})

test('8: partitions that stay are not interrupted while another one changes hands', async () => {
  for (const partition of [0, 1, 2]) await stage.produce('orders', numbers(0, 2000), partition)
  const first = stage.member({ topics: ['orders'] })
  const signals: boolean[][] = [[], [], []]
  const times: number[][] = [[], [], []]
  let isLeaving = false
  const running = first.run(
    async ({ partition, signal }) => {
      if (signal.aborted || isLeaving) return
      times[partition]?.push(stage.broker.clock.monotonicMs())
      await stage.pass(10)
      signals[partition]?.push(signal.aborted)
      // The one that goes takes its time.
      if (signal.aborted) await stage.pass(3000)
    },
    { concurrency: 3 },
  )
  await stage.until(() => signals.every((list) => list.length > 20))
  await using second = stage.member({ topics: ['orders'] }, stage.another())
  await take(second, 1)
  const gone = partitionsOf(second.assignment())
  await stage.pass(1000)
  expect(gone).toHaveLength(1)
  for (const partition of [0, 1, 2].filter((one) => !gone.includes(one))) {
    expect(signals[partition]).not.toContain(true)
    const gaps = (times[partition] ?? []).map((ms, index, all) => ms - (all[index - 1] ?? ms))
    expect(Math.max(...gaps)).toBeLessThan(100)
  }
  isLeaving = true
  await first.close()
  await running
})

test.each([
  ['a loop', 'before'],
  ['a loop', 'after'],
  ['poll()', 'before'],
  ['poll()', 'after'],
  ['batches()', 'before'],
  ['run()', 'after'],
] as const)(
  '10: what %s has in hand and acked %s its partition was lost does not hold it up when it comes back',
  async (mode, when) => {
    await stage.produce('one', numbers(0, 3))
    await using reader = stage.member({ commit: 'manual' })
    const over = latch()
    const record = await firstOf(reader, mode, over.opened)
    if (when === 'before') record.ack()
    const events = eventsOf(reader)
    const { members } = await stage.client.admin().describeGroup('billing')
    await stage.client.admin().removeMember('billing', members[0]?.memberId ?? '')
    await stage.until(() => events.length > 0)
    if (when === 'after') {
      await stage.pass(20_000)
      expect(events).toEqual(['lost 0'])
      record.ack()
    }
    const startMs = stage.broker.clock.monotonicMs()
    await stage.until(() => events.length > 1)
    expect(events).toEqual(['lost 0', 'assigned 0'])
    expect(stage.broker.clock.monotonicMs() - startMs).toBeLessThan(10_000)
    over.open()
  },
)

/** The first record, which stays in hand. */
async function firstOf(
  reader: Consumer<string>,
  mode: 'a loop' | 'poll()' | 'batches()' | 'run()',
  over: Promise<void>,
): Promise<ConsumerRecord<string>> {
  if (mode === 'poll()')
    return (await reader.poll({ max: 1, maxWaitMs: 10_000 }))[0] as ConsumerRecord<string>
  if (mode === 'a loop') return (await reader[Symbol.asyncIterator]().next()).value
  if (mode === 'batches()')
    return (await reader.batches({ maxRecords: 1 })[Symbol.asyncIterator]().next()).value.records[0]
  return await new Promise((resolve) => {
    void reader.run((record) => {
      resolve(record)
      return over
    })
  })
}

test('9: a member with instanceId that is back within its session causes no rebalance', async () => {
  for (const partition of [0, 1, 2]) await stage.produce('orders', numbers(0, 10), partition)
  const topics = { topics: ['orders'] }
  const staying = stage.member({ ...topics, instanceId: 'a' })
  const events = eventsOf(staying)
  const reading = staying.run(() => undefined)
  const leaving = stage.member({ ...topics, instanceId: 'b' }, stage.another())
  const first = leaving.run(() => undefined)
  await stage.until(() => leaving.health().state === 'stable' && leaving.assignment().length > 0)
  await stage.pass(5000)
  const had = partitionsOf(leaving.assignment())
  const before = events.length
  const { groupEpoch } = await stage.client.admin().describeGroup('billing')
  await leaving.close()
  await first
  await stage.pass(5000)
  await using back = stage.member({ ...topics, instanceId: 'b' }, stage.another())
  await stage.produce('orders', ['x'], had[0] ?? 0)
  expect(await take(back, 1)).toEqual(['x'])
  expect(partitionsOf(back.assignment())).toEqual(had)
  expect(events).toHaveLength(before)
  expect((await stage.client.admin().describeGroup('billing')).groupEpoch).toBe(groupEpoch)
  await staying.close()
  await reading
})

test('9: a static member that crashed gets in again within its session, however long the group says that is', async () => {
  await stage.close()
  stage = await GroupStage.start({ config: { 'group.consumer.session.timeout.ms': '1m' } })
  await stage.produce('one', numbers(0, 3))
  const first = stage.member({ instanceId: 'a' }, stage.another())
  await first.poll({ maxWaitMs: 10_000 })
  stage.broker.world.pause('client-1')
  const startMs = stage.broker.clock.monotonicMs()
  await using second = stage.member({ instanceId: 'a' })
  expect(await take(second, 1)).toEqual(['0'])
  const tookMs = stage.broker.clock.monotonicMs() - startMs
  expect(tookMs).toBeGreaterThan(50_000)
  expect(tookMs).toBeLessThan(70_000)
  stage.broker.world.resume('client-1')
})

test('9: a static member that another one replaces is told so, for good', async () => {
  const first = stage.member({ instanceId: 'a' })
  const reading = first.run(() => undefined)
  await stage.until(() => first.health().state === 'stable')
  await first.close()
  await reading
  await using second = stage.member({ instanceId: 'a' }, stage.another())
  const working = second.run(() => undefined)
  await stage.until(() => second.health().state === 'stable')
  await using third = stage.member({ instanceId: 'a' }, stage.another())
  await expect(third.poll({ maxWaitMs: 60_000 })).rejects.toMatchObject({
    name: 'UNRELEASED_INSTANCE_ID',
  })
  await second.close({ leave: true })
  await working
  expect((await stage.client.admin().describeGroup('billing')).members).toEqual([])
})

test('11: a pause survives rebalances, and resume hands out what was fetched before', async () => {
  for (const partition of [0, 1, 2]) await stage.produce('orders', numbers(0, 3), partition)
  const first = stage.member({ topics: ['orders'] })
  const seen: string[] = []
  const running = first.run((record) => void seen.push(textOf(record)))
  await stage.until(() => seen.length === 9)
  first.pause()
  const second = stage.member({ topics: ['orders'] }, stage.another())
  const standingBy = second.run(() => undefined)
  await stage.until(() => first.assignment().length === 2)
  expect(first.paused()).toHaveLength(2)
  for (const partition of [0, 1, 2]) await stage.produce('orders', ['late'], partition)
  await second.close()
  await standingBy
  await stage.until(() => first.assignment().length === 3)
  await stage.pass(3000)
  expect(first.paused()).toHaveLength(3)
  expect(seen).toHaveLength(9)
  first.resume()
  await stage.until(() => seen.length >= 12)
  expect(first.paused()).toEqual([])
  await first.close()
  await running
})

test('a member for whom nothing is left says that it is on standby, once, and takes over when another one goes', async () => {
  await stage.produce('one', numbers(0, 3))
  const told: string[] = []
  const destination = {
    write(line: string) {
      const { msg, group } = JSON.parse(line)
      if (/^standby/.test(msg)) told.push(`${group}: ${msg}`)
    },
  }
  const logger = await createLogger({ level: 'warn', format: 'json', destination })
  const first = stage.member({}, stage.another({ logger }))
  await take(first, 1)
  expect(told).toEqual([])
  await using second = stage.member({}, stage.another({ logger }))
  const inherited = take(second, 2)
  await stage.until(() => told.length > 0)
  expect(second.health()).toMatchObject({ state: 'stable', partitions: [] })
  await stage.pass(60_000)
  await first.close()
  expect(await inherited).toEqual(['1', '2'])
  expect(told).toEqual([expect.stringMatching(/^billing: .*more members than partitions/)])
})

test('20: a coordinator that is killed and comes back needs no user code', async () => {
  await stage.produce('one', numbers(0, 5))
  await using reader = stage.member()
  const events = eventsOf(reader)
  const seen: string[] = []
  const running = reader.run((record) => void seen.push(textOf(record)))
  await stage.until(() => seen.length === 5)
  await stage.pass(2000)
  await stage.broker.kill()
  await stage.pass(5000)
  await stage.broker.heal()
  await stage.produce('one', numbers(5, 8))
  await stage.until(() => seen.length === 8)
  expect(seen).toEqual(numbers(0, 8))
  expect(events).toEqual(['assigned 0'])
  expect(reader.health().state).toBe('stable')
  await stage.pass(2000)
  await stage.broker.kill()
  // Longer than a session: nobody knows who has the partition by then.
  await stage.pass(30_000)
  expect(events).toEqual(['assigned 0', 'lost 0'])
  expect(reader.health().state).toBe('fenced')
  await stage.broker.heal()
  await stage.produce('one', ['8'])
  await stage.until(() => seen.includes('8'))
  expect(seen).toEqual(numbers(0, 9))
  await reader.close()
  await running
})

test('21: close is bounded while a handler is stuck and the coordinator is away, and idempotent', async () => {
  await stage.produce('one', numbers(0, 3))
  const reader = stage.member()
  const running = reader.run(() => new Promise(() => {}))
  await stage.until(() => reader.health().state === 'stable')
  stage.broker.pause()
  const startMs = stage.broker.clock.monotonicMs()
  const closing = reader.close({ timeoutMs: 3000 })
  expect(reader.close()).toBe(closing)
  await closing
  expect(stage.broker.clock.monotonicMs() - startMs).toBeLessThan(3500)
  expect(reader.health().state).toBe('left')
  stage.broker.resume()
  void running
})

test('21: close inside a handler and inside a hook does not wait for itself', async () => {
  await stage.produce('one', numbers(0, 3))
  const reader = stage.member()
  const startMs = stage.broker.clock.monotonicMs()
  await reader.run(async ({ offset }) => {
    if (offset === 1) await reader.close()
  })
  expect(stage.broker.clock.monotonicMs() - startMs).toBeLessThan(15_000)
  expect(await stage.committed()).toBeGreaterThanOrEqual(1)
  const hooked: Consumer<string> = stage.member({ onAssigned: () => hooked.close() })
  const running = hooked.run(() => undefined)
  await stage.until(() => hooked.health().state === 'left')
  await running
  expect(stage.broker.clock.monotonicMs() - startMs).toBeLessThan(30_000)
})

test('21: close inside onRevoked: the work is committed, and the member leaves', async () => {
  await stage.produce('one', numbers(0, 3))
  const called: number[] = []
  const reader: Consumer<string> = stage.member({
    onRevoked: async (partitions) => {
      called.push(partitions.length)
      await reader.close()
    },
  })
  const running = reader.run(() => undefined)
  await stage.until(() => reader.health().state === 'stable')
  await stage.pass(2000)
  const startMs = stage.broker.clock.monotonicMs()
  await stage.client.admin().deleteTopic('one')
  await stage.until(() => reader.health().state === 'left')
  await running
  expect(called).toEqual([1])
  expect(stage.broker.clock.monotonicMs() - startMs).toBeLessThan(20_000)
})

test('21: what is lost while the consumer closes is told as lost: nothing of it may be committed', async () => {
  await stage.produce('one', numbers(0, 3))
  const story: string[] = []
  const member = stage.member({
    onRevoked: () => story.push('onRevoked'),
    onLost: () => story.push('onLost'),
  })
  member.on('revoked', () => story.push('revoked'))
  member.on('lost', () => story.push('lost'))
  expect(await take(member, 2)).toEqual(['0', '1'])
  const slow = stage.broker.intercept('OffsetCommit', async (request, next, { delay }) => {
    await delay('10s')
    return await next(request)
  })
  const { members } = await stage.client.admin().describeGroup('billing')
  await stage.client.admin().removeMember('billing', members[0]?.memberId ?? '')
  await member.close({ timeoutMs: 60_000 })
  slow.end()
  expect(story).toEqual(['lost', 'onLost'])
})

test('21: close inside the onRevoked that close itself calls: none waits for the other, and it is called once', async () => {
  await stage.produce('one', numbers(0, 3))
  const told: string[] = []
  const reader: Consumer<string> = stage.member({
    onRevoked: async (partitions) => {
      told.push(`onRevoked ${partitionsOf(partitions)}`)
      await stage.pass(50)
      await reader.close()
      told.push('closed within')
    },
  })
  const running = reader.run(() => undefined)
  await stage.until(() => reader.nextOffset(ONE) === 3)
  const startMs = stage.broker.clock.monotonicMs()
  await reader.close()
  await running
  expect(stage.broker.clock.monotonicMs() - startMs).toBeLessThan(5000)
  await stage.pass(1000)
  expect(told).toEqual(['onRevoked 0', 'closed within'])
  expect(await stage.committed()).toBe(3)
})

test('21: close meets a hook at work that closes later: none waits for the other', async () => {
  await stage.produce('one', numbers(0, 3))
  const told: string[] = []
  const gate = latch()
  const reader: Consumer<string> = stage.member({
    onAssigned: async () => {
      told.push('onAssigned')
      await gate.opened
      await reader.close()
      told.push('closed within')
    },
    onRevoked: () => void told.push('onRevoked'),
  })
  const polling = reader.poll({ maxWaitMs: 60_000 })
  await stage.until(() => told.length > 0)
  const startMs = stage.broker.clock.monotonicMs()
  const closing = reader.close()
  await stage.pass(1000)
  gate.open()
  await closing
  await polling
  expect(stage.broker.clock.monotonicMs() - startMs).toBeLessThan(5000)
  await stage.pass(1000)
  expect(told).toEqual(['onAssigned', 'closed within'])
})

test('21: a closed member leaves at once: the others need not wait for its session', async () => {
  await stage.produce('one', numbers(0, 3))
  const first = stage.member()
  await take(first, 1)
  await using second = stage.member({}, stage.another())
  const inherited = take(second, 2)
  await stage.pass(1000)
  const startMs = stage.broker.clock.monotonicMs()
  await first.close()
  expect(await inherited).toEqual(['1', '2'])
  expect(stage.broker.clock.monotonicMs() - startMs).toBeLessThan(5000)
})

test('22: close works before the first connection, and nothing connects after it', async () => {
  const client = stage.another()
  const reader = stage.member({}, client)
  await reader.close()
  await expect(reader.poll()).rejects.toMatchObject({ name: 'CLOSED' })
  expect(client.stats().connections).toEqual([])
  const asked = stage.member({}, client)
  const polling = asked.poll({ maxWaitMs: 10_000 }).catch(() => undefined)
  await asked.close({ timeoutMs: 1000 })
  await polling
  await stage.pass(10_000)
  const { members } = await stage.client
    .admin()
    .describeGroup('billing')
    .catch(() => ({ members: [] }))
  expect(members).toEqual([])
})
