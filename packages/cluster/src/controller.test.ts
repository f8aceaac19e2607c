import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ClusterState } from './cluster-state.ts'
import { diskError, FaultyDisk } from './compliance/faulty-disk.ts'
import { type TemporaryStore, temporaryStore } from './compliance/temporary-store.ts'
import { Controller, type ControllerSettings, type ReadyBroker } from './controller.ts'
import type { ReplicaAnswer } from './election.ts'
import { type EmbeddedStore, openEmbeddedStore } from './embedded/index.ts'
import { brokerKey, brokerStatusKey, partitionsPrefix, topicKey, topicNameKey } from './keys.ts'
import { bootstrapCluster, Member } from './member.ts'
import type { Op } from './meta-store.ts'
import type { NewTopic } from './topic-plans.ts'
import { brokerCodec, topicCodec } from './values.ts'

/** One broker as the daemon composes it, without logs. */
type Broker = {
  readonly store: EmbeddedStore
  readonly state: ClusterState
  readonly member: Member
  readonly controller: Controller
  ready(answers?: ReadyBroker['answers']): ReturnType<Controller['brokerReady']>
  /** Leaves in good order, with its epoch for the next start. */
  stop(): Promise<number>
  /** As kill -9: nothing is told to anybody. */
  kill(): Promise<void>
}

let world: TemporaryStore
let incarnations = 0
beforeEach(async () => {
  world = await temporaryStore()
})
afterEach(() => world.remove())

async function start(
  options: {
    cleanEpoch?: number
    mayRenew?: () => boolean
    settings?: Partial<ControllerSettings>
  } = {},
): Promise<Broker> {
  const store = await openEmbeddedStore(world.env, { directory: world.directory })
  await bootstrapCluster(store, 'c')
  const state = await ClusterState.open(world.env, store)
  const member = await Member.join(world.env, store, {
    brokerId: 1,
    clusterId: 'c',
    incarnation: `incarnation-${incarnations++}`,
    dirIds: ['dir'],
    endpoints: new Map(),
    version: '0.1.0',
    cleanEpoch: options.cleanEpoch,
    mayRenew: options.mayRenew,
  })
  const settings = { partitionsMax: () => 10_000, ...options.settings }
  const controller = await Controller.open(world.env, { store, state, member }, settings)
  const close = async () => {
    await controller.close()
    await state.close()
  }
  return {
    store,
    state,
    member,
    controller,
    ready: (answers = () => undefined) => controller.brokerReady({ brokerId: 1, answers }),
    stop: async () => {
      await close()
      await member.leave()
      await store.close()
      return member.brokerEpoch
    },
    kill: async () => {
      await store.close()
      await close()
      await member.leave().catch(() => undefined)
    },
  }
}

async function startReady(): Promise<Broker> {
  const broker = await start()
  await broker.ready()
  return broker
}

function topic(name: string, fields: Partial<NewTopic> = {}): NewTopic {
  return {
    name,
    partitions: 2,
    replicationFactor: 1,
    config: new Map(),
    defaults: { partitions: 1, replicationFactor: 1 },
    minIsr: () => 1,
    ...fields,
  }
}

function partitionsOf({ state }: Broker, name: string) {
  return state.partitionsOf(state.topicByName(name)?.topicId ?? '')
}

function leadersOf(broker: Broker, name: string) {
  return partitionsOf(broker, name).map(({ leader, leaderEpoch }) => [leader, leaderEpoch])
}

function answer(fields: Partial<ReplicaAnswer> = {}): ReadyBroker['answers'] {
  return () => ({ brokerId: 1, lastEpoch: 0, durableEndOffset: 10, lost: false, ...fields })
}

describe('a single broker', () => {
  test('becomes controller, is fenced until it is ready, then active', async () => {
    const broker = await start()
    const { state, controller, member } = broker
    expect(controller.isController).toBe(true)
    expect(state.controllerId).toBe(1)
    expect(state.broker(1)).toMatchObject({ status: 'fenced', brokerEpoch: member.brokerEpoch })
    await expect(controller.createTopic(topic('early'))).rejects.toMatchObject({
      name: 'INVALID_REPLICATION_FACTOR',
    })
    expect(await broker.ready()).toEqual([])
    expect(state.broker(1)?.status).toBe('active')
    await broker.stop()
  })

  test('leads on after a clean stop what it led alone: no partition is written', async () => {
    const first = await startReady()
    await first.controller.createTopic(topic('orders'))
    const [before] = partitionsOf(first, 'orders')
    const cleanEpoch = await first.stop()
    const second = await start({ cleanEpoch })
    expect(second.state.broker(1)?.status).toBe('fenced')
    expect(await second.ready()).toEqual([])
    expect(second.state.broker(1)?.status).toBe('active')
    expect(leadersOf(second, 'orders')).toEqual([
      [1, 0],
      [1, 0],
    ])
    expect(partitionsOf(second, 'orders')[0]).toEqual(before)
    await second.stop()
  })

  test('that is killed before it was ready after a clean stop is not trusted', async () => {
    const first = await startReady()
    await first.controller.createTopic(topic('orders', { partitions: 1 }))
    const second = await start({ cleanEpoch: await first.stop() })
    await second.kill()
    const third = await start()
    expect(partitionsOf(third, 'orders')[0]).toMatchObject({ leader: -1, lastKnownElr: [1] })
    expect(await third.ready(answer())).toMatchObject([{ outcome: 'recovered' }])
    expect(leadersOf(third, 'orders')).toEqual([[1, 2]])
    await third.stop()
  })

  test('leads again after a kill when its logs lost nothing: recovered, not unclean', async () => {
    const first = await startReady()
    await first.controller.createTopic(topic('orders', { partitions: 1 }))
    await first.kill()
    const second = await start()
    const [partition] = second.state.partitionsOf(second.state.topicByName('orders')?.topicId ?? '')
    expect(partition).toMatchObject({
      leader: -1,
      isr: [],
      elr: [],
      lastKnownElr: [1],
      lastKnownLeader: 1,
    })
    const reports = await second.ready(answer())
    expect(reports).toMatchObject([{ partition: 0, outcome: 'recovered' }])
    expect(leadersOf(second, 'orders')).toEqual([[1, 2]])
    await second.stop()
  })

  test('leads not when committed records are gone, and says why', async () => {
    const first = await startReady()
    await first.controller.createTopic(topic('orders', { partitions: 1 }))
    await first.kill()
    const second = await start()
    const reports = await second.ready(answer({ lost: true }))
    expect(reports).toMatchObject([
      { outcome: 'refused', reason: expect.stringContaining('operator') },
    ])
    expect(leadersOf(second, 'orders')).toEqual([[-1, 1]])
    await second.stop()
  })

  test('that stopped cleanly but finds records missing is not trusted either', async () => {
    const first = await startReady()
    await first.controller.createTopic(topic('orders', { partitions: 1 }))
    const second = await start({ cleanEpoch: await first.stop() })
    expect(await second.ready(answer({ lost: true }))).toMatchObject([{ outcome: 'refused' }])
    expect(leadersOf(second, 'orders')).toEqual([[-1, 1]])
    await second.stop()
  })

  test('waits for a log that cannot be read, and leads once it is reported', async () => {
    const first = await startReady()
    await first.controller.createTopic(topic('orders', { partitions: 1 }))
    await first.kill()
    const second = await start()
    expect(await second.ready()).toMatchObject([{ outcome: 'waiting' }])
    expect(await second.ready(answer())).toMatchObject([{ outcome: 'recovered' }])
    expect(leadersOf(second, 'orders')).toEqual([[1, 2]])
    await second.stop()
  })

  test('with flush=os leads after a kill, and it is called unclean', async () => {
    const first = await startReady()
    await first.controller.createTopic(
      topic('orders', { partitions: 1, config: new Map([['flush', 'os']]) }),
    )
    await first.kill()
    const second = await start({
      settings: { isFlushGroup: (config) => config.get('flush') !== 'os' },
    })
    expect(await second.ready(answer())).toMatchObject([{ outcome: 'unclean' }])
    expect(
      second.state.partitionsOf(second.state.topicByName('orders')?.topicId ?? '')[0],
    ).toMatchObject({
      leader: 1,
      unclean: true,
    })
    await second.stop()
  })

  test('that claims a clean stop of an older epoch is not believed', async () => {
    const first = await startReady()
    await first.controller.createTopic(topic('orders', { partitions: 1 }))
    const oldEpoch = await first.stop()
    const second = await start({ cleanEpoch: oldEpoch })
    await second.ready()
    await second.kill()
    const third = await start({ cleanEpoch: oldEpoch })
    expect(await third.ready()).toMatchObject([{ outcome: 'waiting' }])
    await third.stop()
  })

  test('that only lost its lease leads on in a new epoch, and is controller again', async () => {
    let healthy = true
    const broker = await start({ mayRenew: () => healthy })
    await broker.ready()
    await broker.controller.createTopic(topic('orders', { partitions: 1 }))
    healthy = false
    await world.clock.advance(10_000)
    healthy = true
    const led = new Promise<void>((resolve) => {
      broker.state.onChange(() => {
        const [leader, leaderEpoch = 0] = leadersOf(broker, 'orders')[0] ?? []
        if (leader === 1 && leaderEpoch > 0) resolve()
      })
    })
    await world.clock.advance(3000)
    await led
    expect(broker.controller.isController).toBe(true)
    await broker.controller.createTopic(topic('payments'))
    expect(broker.state.broker(1)?.status).toBe('active')
    await broker.stop()
  })
})

describe('topics', () => {
  let broker: Broker
  beforeEach(async () => {
    broker = await startReady()
  })
  afterEach(() => broker.stop())

  async function keys(prefix = ''): Promise<string[]> {
    return (await broker.store.range(prefix)).kvs.map(({ key }) => key)
  }

  test('are there when create resolves, small ones in one revision', async () => {
    const before = broker.state.revision
    const { topicId, rev, partitions } = await broker.controller.createTopic(topic('orders'))
    expect(rev).toBe(before + 1)
    expect(partitions).toBe(2)
    expect(broker.state.topicByName('orders')?.topicId).toBe(topicId)
    expect(topicId).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('of 1,000 partitions become visible all at once', async () => {
    const seen: number[] = []
    broker.state.onChange(({ partitions }) => seen.push(partitions.length))
    await broker.controller.createTopic(topic('large', { partitions: 1000 }))
    expect(seen).toEqual([1000])
    expect(broker.state.partitionCount).toBe(1000)
    expect(await keys('p/')).toHaveLength(1000)
  })

  test('of one name are made once, however many ask', async () => {
    const asked = await Promise.allSettled(
      [1, 2, 3].map(() => broker.controller.createTopic(topic('orders'))),
    )
    expect(asked.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(asked[1]).toMatchObject({ reason: { name: 'TOPIC_ALREADY_EXISTS' } })
  })

  test('are only checked with validateOnly', async () => {
    const before = broker.state.revision
    const validateOnly = { validateOnly: true }
    await broker.controller.createTopic(topic('orders'), validateOnly)
    await expect(broker.controller.createTopic(topic('a/b'), validateOnly)).rejects.toMatchObject({
      name: 'INVALID_TOPIC_EXCEPTION',
    })
    expect(broker.state.revision).toBe(before)
  })

  test('that are refused leave nothing behind (row 33)', async () => {
    const before = broker.state.revision
    for (const fields of [{ partitions: 1_000_000 }, { partitions: 0 }, { replicationFactor: 2 }]) {
      await expect(broker.controller.createTopic(topic('orders', fields))).rejects.toMatchObject({})
    }
    expect(broker.state.revision).toBe(before)
  })

  test('that are deleted free their name at once; their keys go when the replicas are gone', async () => {
    const { topicId } = await broker.controller.createTopic(topic('orders'))
    expect(await broker.controller.deleteTopic({ name: 'orders' })).toMatchObject({
      topicId,
      name: 'orders',
    })
    expect(broker.state.topicByName('orders')).toBeUndefined()
    const again = await broker.controller.createTopic(topic('orders'))
    expect(again.topicId).not.toBe(topicId)
    expect(await keys(topicKey(topicId))).toHaveLength(1)
    await broker.controller.replicasRemoved(topicId, 1)
    expect(await keys(topicKey(topicId))).toEqual([])
    expect(await keys(partitionsPrefix(topicId))).toEqual([])
    expect(await keys(topicNameKey('orders'))).toHaveLength(1)
    expect(broker.state.topicByName('orders')?.topicId).toBe(again.topicId)
  })

  test('are deleted by id; what is not there is named', async () => {
    const { topicId } = await broker.controller.createTopic(topic('orders'))
    await broker.controller.deleteTopic({ topicId })
    await expect(broker.controller.deleteTopic({ topicId })).rejects.toMatchObject({
      name: 'UNKNOWN_TOPIC_ID',
    })
    await expect(broker.controller.deleteTopic({ name: 'orders' })).rejects.toMatchObject({
      name: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
  })

  test('of the brokers are not for clients to change', async () => {
    await broker.controller.createTopic(topic('__consumer_offsets', { internal: true }))
    const refused = { name: 'TOPIC_AUTHORIZATION_FAILED' }
    const { controller } = broker
    await expect(controller.deleteTopic({ name: '__consumer_offsets' })).rejects.toMatchObject(
      refused,
    )
    await expect(controller.createPartitions('__consumer_offsets', 9)).rejects.toMatchObject(
      refused,
    )
  })

  test('grow, also by more than one transaction holds, and readers see all of it at once', async () => {
    await broker.controller.createTopic(topic('orders'))
    const seen: number[] = []
    broker.state.onChange(({ partitions }) => seen.push(partitions.length))
    await broker.controller.createPartitions('orders', 300)
    expect(seen).toEqual([298])
    expect(leadersOf(broker, 'orders')).toHaveLength(300)
    await expect(broker.controller.createPartitions('orders', 300)).rejects.toMatchObject({
      name: 'INVALID_PARTITIONS',
    })
    await expect(broker.controller.createPartitions('orders', 1_000_000)).rejects.toMatchObject({
      name: 'POLICY_VIOLATION',
    })
  })

  test('take new settings whole or not at all, and keep fields that nobody here knows', async () => {
    const { topicId } = await broker.controller.createTopic(topic('orders'))
    const key = topicKey(topicId)
    const stored = (await broker.store.range(key)).kvs[0]?.value ?? ''
    await broker.store.txn(
      [],
      [{ op: 'put', key, value: stored.replace('"v":1', '"v":1,"later":true') }],
      [],
    )
    const { rev } = await broker.controller.alterTopicConfig(
      { name: 'orders' },
      (current) => new Map([...current, ['retention.ms', '1000']]),
      () => 1,
    )
    expect(rev).toBe(broker.state.revision)
    expect(broker.state.topicById(topicId)?.config).toEqual(new Map([['retention.ms', '1000']]))
    expect((await broker.store.range(key)).kvs[0]?.value).toContain('"later":true')
    const bad = broker.controller.alterTopicConfig(
      { name: 'orders' },
      () => {
        throw new Error('no')
      },
      () => 1,
    )
    await expect(bad).rejects.toThrow('no')
    expect(broker.state.revision).toBe(rev)
  })

  test('refuse a min.insync.replicas that their replicas cannot reach', async () => {
    await broker.controller.createTopic(topic('orders'))
    const own = new Map([['min.insync.replicas', '2']])
    const altered = broker.controller.alterTopicConfig(
      { name: 'orders' },
      () => own,
      () => 2,
    )
    await expect(altered).rejects.toMatchObject({
      name: 'INVALID_CONFIG',
      details: { key: 'min.insync.replicas' },
    })
  })

  test('settings of a broker and of the cluster are kept apart', async () => {
    await broker.controller.alterBrokerConfig(1, (current) => new Map([...current, ['a', '1']]))
    await broker.controller.alterBrokerConfig(1, (current) => new Map([...current, ['b', '2']]))
    await broker.controller.alterBrokerConfig('cluster', () => new Map([['c', '3']]))
    expect([...broker.state.brokerConfig(1)]).toEqual([
      ['a', '1'],
      ['b', '2'],
    ])
    expect([...broker.state.brokerConfig('cluster')]).toEqual([['c', '3']])
  })

  test('survive a restart', async () => {
    await broker.controller.createTopic(topic('orders', { config: new Map([['flush', 'os']]) }))
    const cleanEpoch = await broker.stop()
    broker = await start({ cleanEpoch })
    await broker.ready()
    expect(broker.state.topicByName('orders')).toMatchObject({
      partitions: 2,
      config: new Map([['flush', 'os']]),
    })
  })
})

describe('a full disk', () => {
  test('in the middle of a large topic leaves nothing to see, and the name is free later', async () => {
    const faulty = new FaultyDisk(world.env.disk)
    world = { ...world, env: { ...world.env, disk: faulty.disk } }
    const broker = await startReady()
    let writes = 0
    faulty.onAppend = (path) =>
      path.endsWith('metadata.log') && ++writes > 3 ? diskError('ENOSPC') : undefined
    const large = topic('large', { partitions: 1000 })
    await expect(broker.controller.createTopic(large)).rejects.toMatchObject({
      name: 'STORAGE_FULL',
    })
    expect(broker.state.topicByName('large')).toBeUndefined()
    expect((await broker.store.range('p/')).kvs.length).toBeGreaterThan(0)
    faulty.onAppend = () => undefined
    await broker.controller.createTopic(large)
    expect(broker.state.partitionCount).toBe(1000)
    expect((await broker.store.range('p/')).kvs).toHaveLength(1000)
    await broker.stop()
  })

  test('keeps the keys of a deleted topic until there is room, then they go by themselves', async () => {
    const faulty = new FaultyDisk(world.env.disk)
    world = { ...world, env: { ...world.env, disk: faulty.disk } }
    const broker = await startReady()
    const { topicId } = await broker.controller.createTopic(topic('orders'))
    const { rev } = await broker.controller.deleteTopic({ topicId })
    faulty.onAppend = (path) => (path.endsWith('metadata.log') ? diskError('ENOSPC') : undefined)
    await broker.controller.replicasRemoved(topicId, 1)
    expect(broker.state.deletingTopics()).toHaveLength(1)
    faulty.onAppend = () => undefined
    await world.clock.advance(1000)
    await broker.state.reached(rev + 1)
    expect(broker.state.deletingTopics()).toEqual([])
    expect((await broker.store.range('t/')).kvs).toEqual([])
    await broker.stop()
  })
})

describe('a new controller', () => {
  test('undoes a topic that was half made, and its name is free', async () => {
    const first = await startReady()
    const { topicId } = await first.controller.createTopic(topic('orders'))
    const value = first.state.topicById(topicId)
    if (value === undefined) throw new Error('the topic is there')
    const creating = topicCodec.encode({ ...value, state: 'creating' })
    await first.store.txn([], [{ op: 'put', key: topicKey(topicId), value: creating }], [])
    await first.kill()
    const second = await start()
    expect((await second.store.range('p/')).kvs).toEqual([])
    await second.ready()
    await second.controller.createTopic(topic('orders'))
    await second.stop()
  })

  test('finishes a change of min.insync.replicas that was cut short', async () => {
    const first = await startReady()
    const { topicId } = await first.controller.createTopic(topic('orders', { partitions: 200 }))
    const value = first.state.topicById(topicId)
    if (value === undefined) throw new Error('the topic is there')
    const changed = topicCodec.encode({ ...value, minIsr: 2 })
    await first.store.txn([], [{ op: 'put', key: topicKey(topicId), value: changed }], [])
    await first.kill()
    const second = await start()
    expect(second.state.partitionsOf(topicId).every(({ minIsr }) => minIsr === 2)).toBe(true)
    await second.stop()
  })

  test('fences a broker whose registration is gone; how it comes back decides what it may still lead', async () => {
    const broker = await startReady()
    const { store, state, controller } = broker
    const registration = (incarnation: string, previousEpoch?: number) =>
      brokerCodec.encode({
        incarnation,
        dirIds: ['dir-2'],
        endpoints: new Map(),
        rack: undefined,
        version: '0.1.0',
        leaseId: '',
        draining: false,
        previousEpoch,
      })
    /** Writes broker 2's own key, and waits for what the controller does about it. */
    const write = async (op: Op) => {
      const { rev } = await store.txn([], [op], [])
      await state.reached(rev)
      await controller.alterBrokerConfig('cluster', (current) => current)
      return rev
    }
    const register = (value: string) => write({ op: 'put', key: brokerKey(2), value })
    const leave = () => write({ op: 'delete', key: brokerKey(2) })
    const firstEpoch = await register(registration('first'))
    await controller.brokerReady({ brokerId: 2, answers: () => undefined })
    const pair = topic('pair', { replicationFactor: 2, partitions: 4, minIsr: () => 2 })
    const { topicId } = await controller.createTopic(pair)
    const each = (expected: object) => {
      for (const partition of state.partitionsOf(topicId)) expect(partition).toMatchObject(expected)
    }

    await leave()
    each({ leader: 1, isr: [1], elr: [2] })
    expect((await store.range(brokerStatusKey(2))).kvs[0]?.value).toContain('fenced')
    const secondEpoch = await register(registration('second', firstEpoch))
    each({ leader: 1, isr: [1], elr: [2] })
    await leave()
    await register(registration('third'))
    each({ leader: 1, isr: [1], elr: [], lastKnownElr: [2] })
    expect(secondEpoch).toBeGreaterThan(firstEpoch)
    await broker.stop()
  })

  test('that was put out writes nothing more, though it has not heard of it yet', async () => {
    const broker = await startReady()
    const { store, state, controller } = broker
    const value = '{"v":1,"brokerId":9,"incarnation":"other"}'
    const outcomes = await Promise.allSettled([
      store.txn([], [{ op: 'delete', key: 'ctrl' }], []),
      store.txn([], [{ op: 'put', key: 'ctrl', value }], []),
      controller.createTopic(topic('orders')),
    ])
    expect(outcomes[2]).toMatchObject({ status: 'rejected', reason: { name: 'NOT_CONTROLLER' } })
    expect(state.topicByName('orders')).toBeUndefined()
    await broker.stop()
  })

  test('that is not controller any more says who is', async () => {
    const broker = await startReady()
    await broker.store.txn(
      [],
      [
        { op: 'delete', key: 'ctrl' },
        { op: 'get', key: 'ctrl' },
      ],
      [],
    )
    const value = '{"v":1,"brokerId":9,"incarnation":"other"}'
    const { rev } = await broker.store.txn([], [{ op: 'put', key: 'ctrl', value }], [])
    await broker.state.reached(rev)
    await expect(broker.controller.createTopic(topic('orders'))).rejects.toMatchObject({
      name: 'NOT_CONTROLLER',
    })
    await broker.stop()
  })
})
