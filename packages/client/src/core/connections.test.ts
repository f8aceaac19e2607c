// Connections against broker twins: who answers has to be who was asked for, and what was given up does not stay.
import { afterEach, expect, test } from 'vitest'
import { closeStages, stage } from '../../test/stage.ts'
import { resolveClientOptions } from './client-options.ts'
import { Core } from './core.ts'

afterEach(closeStages)

async function coreOnStage() {
  const set = await stage()
  const core = new Core(
    set.env,
    resolveClientOptions({ brokers: set.twin.address }),
    set.env.logger,
  )
  await core.metadata.topic('orders')
  return { ...set, core }
}

test('a broker that answers at the address of another is not taken for it', async () => {
  const { twin, core, done } = await coreOnStage()
  twin.others.push({ nodeId: 2, host: twin.host, port: twin.port, rack: null })
  await done(core.metadata.refresh('test'))
  await expect(core.connect(2, 'produce')).rejects.toMatchObject({
    name: 'BROKER_UNREACHABLE',
    message: expect.stringMatching(/^broker 2 .*\(broker 1 answers there\)/),
  })
  expect(core.connections.stats()).toHaveLength(1)
  expect((await core.connect(1, 'produce')).hello.nodeId).toBe(1)
  core.close()
})

test('a lane that is closed while it dials does not stay connected', async () => {
  const { world, core } = await coreOnStage()
  world.network.cut('client', 'broker')
  const connecting = core.connect(1, 'fetch:0')
  connecting.catch(() => undefined)
  core.closeLane('fetch:0')
  world.network.heal()
  await expect(world.complete(connecting)).rejects.toMatchObject({ name: 'CLOSED' })
  await world.clock.advance('30s')
  expect(core.connections.stats()).toHaveLength(1)
  core.close()
})

test('nothing is dialled for who gave up while metadata was asked where', async () => {
  const { twin, core, done, anotherTwin } = await coreOnStage()
  const second = await anotherTwin(2)
  twin.others.push({ nodeId: 2, host: second.host, port: second.port, rack: null })
  const giving = new AbortController()
  const connecting = core.connect(2, 'fetch:0', giving.signal)
  connecting.catch(() => undefined)
  giving.abort(new Error('enough'))
  await expect(done(connecting)).rejects.toThrow('enough')
  expect(second.connections).toBe(0)
  core.close()
})
