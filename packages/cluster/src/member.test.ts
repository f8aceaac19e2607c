import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type TemporaryStore, temporaryStore } from './compliance/temporary-store.ts'
import type { EmbeddedStore } from './embedded/index.ts'
import { bootstrapCluster, Member, newClusterId, type Registration } from './member.ts'
import { brokerCodec } from './values.ts'

let world: TemporaryStore
let store: EmbeddedStore
const left: Member[] = []
beforeEach(async () => {
  world = await temporaryStore()
  store = await world.open()
})
afterEach(async () => {
  for (const member of left.splice(0)) await member.leave()
  await store.close()
  expect(world.clock.timerCount).toBe(0)
  await world.remove()
})

function registration(fields: Partial<Registration> = {}): Registration {
  return {
    brokerId: 1,
    clusterId: 'c',
    incarnation: 'first',
    dirIds: ['dir-1'],
    endpoints: new Map([['default', { host: 'localhost', port: 9092 }]]),
    version: '0.1.0',
    ...fields,
  }
}

async function join(fields: Partial<Registration> = {}): Promise<Member> {
  const member = await Member.join(world.env, store, registration(fields))
  left.push(member)
  return member
}

async function registered(brokerId: number) {
  const { kvs } = await store.range(`b/${brokerId}`)
  return kvs[0]
}

describe('bootstrap', () => {
  test('gives the cluster the first id that is offered, and everybody that one', async () => {
    const offers = ['one', 'two', 'three'].map((id) => bootstrapCluster(store, id))
    const ids = await Promise.all(offers)
    expect(ids.map(({ clusterId }) => clusterId)).toEqual(['one', 'one', 'one'])
    expect(ids.map(({ created }) => created)).toEqual([true, false, false])
  })

  test('a new id is 22 characters that need no escaping, and another each time', () => {
    const ids = [newClusterId(world.env), newClusterId(world.env)]
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{22}$/)
    expect(ids[0]).not.toBe(ids[1])
  })
})

describe('a member', () => {
  test('has as broker epoch the revision that created its key, on its lease', async () => {
    const member = await join()
    const kv = await registered(1)
    expect(kv).toMatchObject({ createRev: member.brokerEpoch, leaseId: member.leaseId })
    expect(brokerCodec.decode(kv?.value ?? '')).toMatchObject({
      incarnation: 'first',
      leaseId: member.leaseId,
    })
  })

  test('of another cluster is refused, and nothing of it stays', async () => {
    await bootstrapCluster(store, 'other')
    await expect(join()).rejects.toMatchObject({ name: 'INCONSISTENT_CLUSTER_ID' })
    expect(await registered(1)).toBeUndefined()
  })

  test('with an id that another directory uses is refused, and the other one stays', async () => {
    const first = await join()
    await expect(join({ dirIds: ['dir-2'] })).rejects.toMatchObject({
      name: 'DUPLICATE_BROKER_REGISTRATION',
    })
    expect(await registered(1)).toMatchObject({ createRev: first.brokerEpoch })
  })

  test('puts its own dead predecessor out at once, with a higher epoch', async () => {
    const first = await join()
    const second = await join({ incarnation: 'second' })
    expect(second.brokerEpoch).toBeGreaterThan(first.brokerEpoch)
    expect(await registered(1)).toMatchObject({ createRev: second.brokerEpoch })
  })

  test('keeps its lease as long as it renews it', async () => {
    const member = await join()
    for (let second = 0; second < 60; second++) {
      await world.clock.advance(1000)
      expect(member.holdsLease()).toBe(true)
    }
    expect(await registered(1)).toMatchObject({ createRev: member.brokerEpoch })
  })

  test('that may not renew stops holding the lease a second before it ends', async () => {
    let healthy = true
    const member = await join({ mayRenew: () => healthy })
    healthy = false
    await world.clock.advance(7999)
    expect(member.holdsLease()).toBe(true)
    await world.clock.advance(2)
    expect(member.holdsLease()).toBe(false)
    expect(await registered(1)).toBeDefined()
    await world.clock.advance(1000)
    expect(await registered(1)).toBeUndefined()
  })

  test('that lost its lease registers again as the same process, and says so', async () => {
    let healthy = true
    const member = await join({ mayRenew: () => healthy })
    const epoch = member.brokerEpoch
    const rejoined = new Promise<number>((resolve) => void member.onRejoin(resolve))
    healthy = false
    await world.clock.advance(10_000)
    healthy = true
    await world.clock.advance(3000)
    expect(await rejoined).toBeGreaterThan(epoch)
    expect(member.brokerEpoch).toBe(await rejoined)
    expect(member.holdsLease()).toBe(true)
    const kv = await registered(1)
    expect(brokerCodec.decode(kv?.value ?? '')).toMatchObject({
      incarnation: 'first',
      previousEpoch: epoch,
    })
  })

  test('that leaves is gone at once', async () => {
    const member = await join()
    left.length = 0
    await member.leave()
    expect(await registered(1)).toBeUndefined()
  })
})
