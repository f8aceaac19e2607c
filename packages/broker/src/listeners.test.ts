import { createWorld } from '@minikafka/testing'
import { expect, test } from 'vitest'
import { Listeners } from './listeners.ts'

const BIND = { host: '0.0.0.0', port: 9092 }

test('connections that could not be accepted are logged once a second, with their count', async () => {
  const world = createWorld({ seed: 1 })
  const env = world.env('broker')
  const listeners = await world.complete(Listeners.bind(env, [{ name: 'plain', bind: BIND }]))
  const { network } = world.env('client')
  const knock = () => network.connect({ host: 'broker', port: BIND.port, timeoutMs: 1000 })
  world.network.failAccepts('broker', 6)
  for (let count = 0; count < 5; count++) await world.complete(knock())
  await world.clock.advance('1s')
  await world.complete(knock())
  await world.settled()
  const lines = world.logs().map(({ text }) => JSON.parse(text) as Record<string, unknown>)
  expect(lines.filter(({ listener }) => listener === 'plain')).toMatchObject([
    { listener: 'plain', code: 'EMFILE', suppressed: 0 },
    { listener: 'plain', code: 'EMFILE', suppressed: 4 },
  ])
  await world.complete(listeners.close({ finishMs: 0 }))
  world.close()
})
