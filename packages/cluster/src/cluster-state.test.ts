import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ClusterState } from './cluster-state.ts'
import type { ClusterChange } from './cluster-view.ts'
import { type TemporaryStore, temporaryStore } from './compliance/temporary-store.ts'
import type { EmbeddedStore } from './embedded/index.ts'
import { CLUSTER_CONFIG_KEY, partitionKey, topicKey } from './keys.ts'
import type { Op } from './meta-store.ts'
import {
  configCodec,
  type PartitionValue,
  partitionCodec,
  type TopicValue,
  topicCodec,
} from './values.ts'

const HISTORY_MAX = 20

let world: TemporaryStore
let store: EmbeddedStore
let state: ClusterState
let changes: ClusterChange[]
beforeEach(async () => {
  world = await temporaryStore()
  store = await world.open({ historyMax: HISTORY_MAX })
  state = await follow()
})
afterEach(async () => {
  await state.close()
  await store.close()
  await world.remove()
})

async function follow(): Promise<ClusterState> {
  const opened = await ClusterState.open(world.env, store)
  changes = []
  opened.onChange((change) => changes.push(change))
  return opened
}

function put(key: string, value: string): Op {
  return { op: 'put', key, value }
}

function putTopic(topicId: string, fields: Partial<TopicValue> = {}): Op {
  const value: TopicValue = {
    name: `name-of-${topicId}`,
    partitions: 2,
    replicationFactor: 1,
    minIsr: 1,
    state: 'live',
    config: new Map(),
    ...fields,
  }
  return put(topicKey(topicId), topicCodec.encode(value))
}

function putPartition(
  topicId: string,
  partition: number,
  fields: Partial<PartitionValue> = {},
): Op {
  const value: PartitionValue = {
    replicas: [1],
    isr: [1],
    elr: [],
    lastKnownElr: [],
    lastKnownLeader: undefined,
    leader: 1,
    leaderEpoch: 0,
    adding: [],
    removing: [],
    minIsr: 1,
    unclean: false,
    ...fields,
  }
  return put(partitionKey(topicId, partition), partitionCodec.encode(value))
}

/** Writes, waits until the image has it, and gives the changes it made. */
async function write(...ops: Op[]): Promise<ClusterChange[]> {
  changes = []
  const { rev } = await store.txn([], ops, [])
  await state.reached(rev)
  return changes
}

function wholeTopic(topicId: string): Op[] {
  return [putTopic(topicId), putPartition(topicId, 0), putPartition(topicId, 1)]
}

describe('the image', () => {
  test('shows a topic and its partitions in one step, by id, by name and by number', async () => {
    const [change, ...more] = await write(...wholeTopic('x'))
    expect(more).toEqual([])
    expect(change?.topics).toMatchObject([
      { topicId: 'x', before: undefined, after: { partitions: 2 } },
    ])
    expect(change?.partitions.map(({ partition }) => partition)).toEqual([0, 1])
    expect(state.topicByName('name-of-x')).toBe(state.topicById('x'))
    expect(state.partition('x', 1)).toMatchObject({ leader: 1, partitionEpoch: state.revision })
    expect(state.partition('x', 2)).toBeUndefined()
    expect([state.topicCount, state.partitionCount]).toEqual([1, 2])
  })

  test('shows the same to who comes later', async () => {
    await write(...wholeTopic('x'), ...wholeTopic('a'))
    await state.close()
    state = await follow()
    expect(state.topics().map(({ name }) => name)).toEqual(['name-of-a', 'name-of-x'])
    expect(state.partitionsOf('x')).toHaveLength(2)
  })

  test('shows nothing of a topic that is half made, then all of it at once', async () => {
    const made = await write(putTopic('x', { state: 'creating' }), putPartition('x', 0))
    expect(made).toEqual([])
    expect(await write(putPartition('x', 1))).toEqual([])
    expect(state.topicByName('name-of-x')).toBeUndefined()
    const [live] = await write(putTopic('x'))
    expect(live?.partitions.map(({ partition, before }) => [partition, before])).toEqual([
      [0, undefined],
      [1, undefined],
    ])
  })

  test('shows new partitions only when the topic counts them', async () => {
    await write(...wholeTopic('x'))
    expect(await write(putPartition('x', 2))).toEqual([])
    const [grown] = await write(putTopic('x', { partitions: 3 }))
    expect(grown?.partitions.map(({ partition }) => partition)).toEqual([2])
    expect(state.partitionCount).toBe(3)
  })

  test('says of a changed partition what it was and what it is', async () => {
    await write(...wholeTopic('x'))
    const [change] = await write(putPartition('x', 1, { leader: -1, leaderEpoch: 1, isr: [] }))
    expect(change?.topics).toEqual([])
    expect(change?.partitions).toMatchObject([
      { topicId: 'x', partition: 1, before: { leader: 1 }, after: { leader: -1, leaderEpoch: 1 } },
    ])
  })

  test('tells a deleted topic from one that vanished without a word', async () => {
    await write(...wholeTopic('x'), ...wholeTopic('y'))
    const [deleted] = await write(putTopic('x', { state: 'deleting' }))
    expect(deleted?.topics).toMatchObject([{ name: 'name-of-x', after: undefined, deleted: true }])
    expect(deleted?.partitions.map(({ after }) => after)).toEqual([undefined, undefined])
    expect(state.deletingTopics().map(({ topicId }) => topicId)).toEqual(['x'])
    const [vanished] = await write({ op: 'delete', key: topicKey('y') })
    expect(vanished?.topics).toMatchObject([{ name: 'name-of-y', deleted: false }])
    expect(state.partitionCount).toBe(0)
  })

  test('lets a name pass from one topic to the next in one step', async () => {
    await write(putTopic('x', { name: 'orders' }))
    await write(
      putTopic('x', { name: 'orders', state: 'deleting' }),
      putTopic('y', { name: 'orders' }),
    )
    expect(state.topicByName('orders')?.topicId).toBe('y')
  })

  test('takes names that JavaScript knows, too', async () => {
    await write(putTopic('x', { name: '__proto__' }), putTopic('y', { name: 'constructor' }))
    expect(state.topicByName('__proto__')).toMatchObject({ topicId: 'x', internal: true })
    expect(state.topicByName('toString')).toBeUndefined()
  })

  test('gives settings of brokers and of the cluster, and says when they change', async () => {
    const values = new Map([['log.level', 'debug']])
    const [change] = await write(put(CLUSTER_CONFIG_KEY, configCodec.encode({ values })))
    expect(change?.configChanged).toBe(true)
    expect(state.brokerConfig('cluster')).toEqual(values)
    expect(state.brokerConfig(1)).toEqual(new Map())
  })

  test('keeps the last good value of a key that cannot be read, and raises an alarm', async () => {
    await write(...wholeTopic('x'))
    expect(await write(put(topicKey('x'), '{"v":1'))).toEqual([])
    expect(state.topicById('x')?.partitions).toBe(2)
    expect(state.alarms.get(topicKey('x'))).toMatch(/not JSON/)
    await write(putTopic('x'))
    expect(state.alarms.size).toBe(0)
  })

  test('reads a value of a newer version, and raises an alarm', async () => {
    const value = {
      v: 2,
      name: 'later',
      partitions: 1,
      rf: 1,
      state: 'live',
      minIsr: 1,
      cfg: {},
      what: 1,
    }
    await write(put(topicKey('x'), JSON.stringify(value)))
    expect(state.topicByName('later')).toMatchObject({ newerVersion: 2 })
    expect(state.alarms.get(topicKey('x'))).toMatch(/version 2/)
  })

  test('leaves keys alone that it does not know', async () => {
    expect(await write(put('job/1', 'whatever'))).toEqual([])
    expect(state.alarms.size).toBe(0)
  })
})

describe('following', () => {
  test('over a compacted history shows the difference as one step', async () => {
    await write(...wholeTopic('x'), ...wholeTopic('y'))
    // All of it in one turn: of this the waiting watch gets to see the first revision, then the history has moved on.
    changes = []
    const writes = [
      store.txn([], [putPartition('x', 0, { leaderEpoch: 7 })], []),
      store.txn(
        [],
        [
          { op: 'delete', key: topicKey('y') },
          { op: 'deletePrefix', prefix: 'p/y/' },
        ],
        [],
      ),
      ...Array.from({ length: HISTORY_MAX }, (_, n) =>
        store.txn([], [put('job/1', String(n))], []),
      ),
    ]
    const rev = Math.max(...(await Promise.all(writes)).map((result) => result.rev))
    await state.reached(rev)
    const [first, change, ...more] = changes
    expect(more).toEqual([])
    expect(first?.partitions).toHaveLength(1)
    expect(change?.revision).toBe(rev)
    expect(change?.topics).toMatchObject([{ topicId: 'y', after: undefined, deleted: false }])
    expect(state.partition('x', 0)?.leaderEpoch).toBe(7)
  })

  test('pages through more keys than one answer holds', async () => {
    await state.close()
    const ops = Array.from({ length: 2500 }, (_, n) => putTopic(`t${n}`, { partitions: 1 }))
    for (let start = 0; start < ops.length; start += 100) {
      await store.txn([], ops.slice(start, start + 100), [])
    }
    state = await follow()
    expect(state.topicCount).toBe(2500)
  })

  test('ends with the store, and who waits is told', async () => {
    const never = state.reached(state.revision + 1)
    await store.close()
    await expect(never).rejects.toMatchObject({ name: 'CLOSED' })
    await expect(state.reached(state.revision + 1)).rejects.toMatchObject({ name: 'CLOSED' })
  })
})
