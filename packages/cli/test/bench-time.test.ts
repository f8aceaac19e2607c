// bench on a clock that the test holds: what waits because the broker is late counts (coordinated omission).
import { TestBroker } from '@minikafka/testing'
import { expect, test } from 'vitest'
import { run } from './program.ts'

test('with --rate a record counts from when it was due, not from when it could be sent', async () => {
  await using broker = await TestBroker.start({ topics: { paced: 1 } })
  const env = broker.world.env('cli')
  const args = ['bench', 'produce', 'paced', '--rate', '100', '--duration', '10s', '--warmup', '0s']
  const running = run(['-b', broker.address, ...args, '-O', 'json'], { env })
  while (!broker.clock.pending().some((line) => / {2}cli {2}/.test(line))) {
    await broker.world.settled()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await broker.clock.advance('5s')
  broker.world.network.cut('cli', 'broker-0')
  await broker.clock.advance('2s')
  broker.world.network.heal()
  const { code, stdout } = await broker.world.complete(running.ended)
  expect(code).toBe(0)
  const { records, latencyMs } = JSON.parse(stdout)
  expect(records).toBeGreaterThan(950)
  // 200 of 1,000 were due while nothing got through: a tenth of all waited more than a second.
  expect(latencyMs.p90).toBeGreaterThan(900)
  expect(latencyMs.p50).toBeLessThan(100)
})
