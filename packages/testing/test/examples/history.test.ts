// Examples: chaos, and a checker that says whether it hurt.
import { checkHistory, TestBroker } from '@minikafka/testing'
import { expect, test } from 'vitest'

test('chaos, record: whatever the broker goes through, every order arrives once', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 3 }, clock: 'jumping', seed: 42 })
  const history = broker.record()
  const producer = broker.client().producer()
  const raging = broker.chaos({ duration: '60s' })
  for (let order = 0; order < 100; order++) await producer.send('orders', { value: `${order}` })
  await raging
  await broker.read('orders')
  expect(history.check()).toMatchObject({ acked: 100, read: 100, anomalies: [] })
})

test('chaos of some kinds: a service is tested with what it has to stand', async () => {
  await using broker = await TestBroker.start({ topics: { orders: 1 }, seed: 7 })
  const sending = broker.client().producer().send('orders', { value: 'x' })
  const { faults } = await broker.chaos({ faults: ['kill', 'slow'], duration: '30s' })
  await broker.world.complete(sending)
  expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(['kill', 'slow']))
})

test('checkHistory: histories of another system can be checked, too', () => {
  const send = { process: 1, call: 'send', type: 'ok' } as const
  const { anomalies } = checkHistory([
    { ...send, timeMs: 1, steps: [{ send: 'orders-0', value: 'a', offset: 0 }] },
    { ...send, timeMs: 2, steps: [{ send: 'orders-0', value: 'b', offset: 1 }] },
    {
      ...{ process: 2, call: 'poll', type: 'ok', timeMs: 3 },
      steps: [{ poll: 'orders-0', records: [{ offset: 1, value: 'b' }] }],
    },
  ])
  expect(anomalies.map(({ text }) => text)).toEqual([
    'orders-0@0: "a", acknowledged, was read past and never read',
  ])
})
