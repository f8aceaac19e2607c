import { expect, test } from 'vitest'
import { createWorld } from './create-world.ts'

test('a process sees the arguments and variables it was started with, and its output is kept', async () => {
  const world = createWorld({ seed: 1 })
  const { program } = world.start('a', {
    arguments: ['--dev'],
    variables: { HOME: '/x' },
    stdin: 'in',
  })
  expect(program.arguments).toEqual(['--dev'])
  expect(program.variables).toEqual({ HOME: '/x' })
  await program.stdout.write('ready')
  program.stderr.stream.write('careful')
  let input = ''
  for await (const chunk of program.stdin.chunks()) input += chunk
  expect(input).toBe('in')
  program.exit(3)
  expect([world.stdout('a'), world.stderr('a'), world.exitCode('a')]).toEqual([
    'ready',
    'careful',
    3,
  ])
  world.close()
})

test('a signal reaches its listeners, or ends the process where there is none', async () => {
  const world = createWorld({ seed: 1 })
  const { program } = world.env('a')
  let heard = 0
  const stop = program.onSignal('SIGTERM', () => heard++)
  world.signal('a', 'SIGTERM')
  await world.settled()
  expect([heard, world.exitCode('a')]).toEqual([1, undefined])
  stop()
  world.signal('a', 'SIGTERM')
  await world.settled()
  expect([heard, world.exitCode('a')]).toEqual([1, 143])
  world.close()
})

test('log lines are kept with their node and virtual time', async () => {
  const world = createWorld({ seed: 1, startWallMs: 1_000_000 })
  const env = world.env('broker-0')
  await world.clock.advance('2s')
  env.logger.child({ component: 'log' }).info({ topic: 'orders' }, 'segment rolled')
  env.logger.debug('not at this level')
  const [line, ...others] = world.logs()
  expect(others).toEqual([])
  expect(line).toMatchObject({ node: 'broker-0', atMs: 2000 })
  expect(JSON.parse(line?.text ?? '')).toEqual({
    level: 30,
    time: 1_002_000,
    component: 'log',
    topic: 'orders',
    msg: 'segment rolled',
  })
  world.close()
})
