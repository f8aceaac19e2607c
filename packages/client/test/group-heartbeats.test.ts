// What a member says to its coordinator when answers are lost, late or no: the real broker, and somebody in between.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { GroupStage, numbers, take, textOf } from './group-stage.ts'

let stage: GroupStage

beforeEach(async () => {
  stage = await GroupStage.start()
})

afterEach(() => stage.close())

test('one heartbeat is in flight, whatever else goes on', async () => {
  await stage.produce('one', numbers(0, 50))
  let inFlight = 0
  let most = 0
  using _ = stage.broker.intercept('ConsumerGroupHeartbeat', async (request, next, { delay }) => {
    most = Math.max(most, ++inFlight)
    await delay('400ms')
    inFlight--
    return await next(request)
  })
  await using reader = stage.member()
  await take(reader, 20)
  for (let n = 0; n < 20; n++) await reader.commit([{ topic: 'one', partition: 0, nextOffset: n }])
  await stage.pass(10_000)
  expect(most).toBe(1)
})

test('a heartbeat that is never answered is said again in full over a new connection; nobody else waits for it', async () => {
  await stage.produce('one', numbers(0, 10))
  await using reader = stage.member()
  const seen: string[] = []
  const running = reader.run((record) => void seen.push(textOf(record)))
  await stage.until(() => seen.length === 10)
  await stage.pass(5000)
  const lost: string[] = []
  reader.on('lost', () => lost.push('lost'))
  const requests: { memberEpoch: number; rebalanceTimeoutMs: number; owned: boolean }[] = []
  using _ = stage.broker.intercept('ConsumerGroupHeartbeat', async (request, next) => {
    const { memberEpoch, rebalanceTimeoutMs, topicPartitions } = request
    requests.push({ memberEpoch, rebalanceTimeoutMs, owned: topicPartitions !== null })
    const answer = await next(request)
    return requests.length === 1 ? { drop: true } : answer
  })
  await stage.pass(4000)
  await stage.produce('one', numbers(10, 12))
  await stage.until(() => seen.length === 12)
  await stage.pass(10_000)
  expect(requests[0]).toEqual({ memberEpoch: 1, rebalanceTimeoutMs: -1, owned: false })
  expect(requests[1]).toEqual({ memberEpoch: 1, rebalanceTimeoutMs: 300_000, owned: true })
  expect(requests[2]).toMatchObject({ rebalanceTimeoutMs: -1 })
  expect(lost).toEqual([])
  await reader.close()
  await running
})

test('the shortest interval between heartbeats still tells a group that is settled from one that is not', async () => {
  await stage.close()
  const interval = 'group.consumer.heartbeat.interval.ms'
  await expect(GroupStage.start({ config: { [interval]: 500 } })).rejects.toThrow(interval)
  stage = await GroupStage.start({ config: { [interval]: 1000 } })
  await stage.produce('one', numbers(0, 1))
  await using reader = stage.member()
  await take(reader, 1)
  await stage.until(() => reader.health().state === 'stable')
})

test('a coordinator that is another one by now is searched again, and nothing is lost', async () => {
  await stage.produce('one', numbers(0, 10))
  await using reader = stage.member()
  await take(reader, 2)
  let searches = 0
  using _ = stage.broker.intercept('FindCoordinator', (request, next) => {
    searches++
    return next(request)
  })
  let refusals = 2
  using __ = stage.broker.intercept('ConsumerGroupHeartbeat', (request, next) =>
    refusals-- > 0 ? { error: 'NOT_COORDINATOR' } : next(request),
  )
  using ___ = stage.broker.intercept('OffsetCommit', (request, next) =>
    refusals > 0 ? { error: 'NOT_COORDINATOR' } : next(request),
  )
  await reader.commit()
  await stage.pass(10_000)
  expect(searches).toBeGreaterThan(0)
  expect(reader.health().state).toBe('stable')
  expect(await stage.committed()).toBe(2)
})

test('a fenced member does not storm the coordinator', async () => {
  await using reader = stage.member()
  let count = 0
  using _ = stage.broker.intercept('ConsumerGroupHeartbeat', () => {
    count++
    return { error: 'FENCED_MEMBER_EPOCH' }
  })
  const polling = reader.poll({ maxWaitMs: 60_000 })
  expect(await polling).toEqual([])
  expect(count).toBeLessThan(40)
  expect(reader.health().state).toBe('joining')
})
