// The twins pass the suites of the real ports, on each kind of clock and for several seeds.
import type { Env } from '@minikafka/platform'
import {
  clockCompliance,
  compressCompliance,
  diskCompliance,
  httpServerCompliance,
  networkCompliance,
  type PortWorld,
  randomCompliance,
} from '@minikafka/platform/compliance'
import { createWorld } from './create-world.ts'
import type { ClockMode } from './scheduler.ts'
import type { World } from './world.ts'

const SEEDS = [1, 2, 3]
const NODE = 'a'
/** A host that has lost power. */
const SILENT = 'silent'

for (const clock of ['held', 'jumping', 'real'] as const) {
  clockCompliance(`simulated, ${clock}`, () => portWorld(1, clock, (env) => env.clock))
}

for (const seed of SEEDS) {
  randomCompliance(`simulated, seed ${seed}`, () => portWorld(seed, 'held', (env) => env.random))
}

for (const clock of ['held', 'jumping'] as const) {
  for (const seed of SEEDS) {
    diskCompliance(`simulated, ${clock}, seed ${seed}`, async () => {
      const world = portWorld(seed, clock, (env) => env.disk)
      await world.run(world.port.makeDirectory('/data'))
      return { ...world, directory: '/data' }
    })
  }
}

// One seed each: this suite moves many single bytes.
for (const [seed, clock] of [
  [1, 'held'],
  [2, 'jumping'],
] as const) {
  networkCompliance(`simulated, ${clock}, seed ${seed}`, () => {
    const { world, ...ends } = portWorld(seed, clock, (env) => env.network)
    return {
      ...ends,
      host: '127.0.0.1',
      silent: { host: SILENT, port: 9092 },
      failAccept: () => world.network.failAccepts(NODE),
    }
  })
}

httpServerCompliance('simulated', () => {
  const { world, ...ends } = portWorld(1, 'held', (env) => env.httpServer)
  return { ...ends, ask: ({ port }, method, path) => world.askPage(NODE, port, path, method) }
})

compressCompliance('simulated', () => portWorld(1, 'held', (env) => env.compress).port)

function portWorld<Port>(
  seed: number,
  clock: ClockMode,
  portOf: (env: Env) => Port,
): PortWorld<Port> & { readonly world: World } {
  const world: World = createWorld({ seed, clock })
  const port = portOf(world.env(NODE))
  world.env(SILENT)
  world.powerCut(SILENT)
  return {
    world,
    port,
    advance: (ms) => world.clock.advance(ms),
    run: (promise) => world.complete(promise),
    close: async () => world.close(),
  }
}
