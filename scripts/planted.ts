// `npm run planted`: plants known mistakes, one at a time, and runs seeds until the simulation finds each.
// Enters: `[NAME ...] [--seeds N]`. Leaves: a table of what found them, after how many seeds; exit code 1 where one was
// not found or does not apply any more. Source: TESTING, "Planted bugs".
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { loadPlants, mayShow, type Plant, staleEdit } from './planted/plants.ts'
import { ScratchTree } from './planted/scratch-tree.ts'
import { Worker } from './sim/pool.ts'

type Finding = {
  readonly plant: Plant
  readonly state: 'found' | 'not found' | 'does not apply'
  readonly oracle: string
  readonly message: string
  /** Of these, `runs` had what the bug needs, and were run. */
  readonly seeds: number
  readonly runs: number
  readonly seconds: number
}

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { values, positionals } = parseArgs({
  options: { seeds: { type: 'string', default: '2000' }, workers: { type: 'string' } },
  allowPositionals: true,
})
const seedsMax = Number(values.seeds)
const isWanted = ({ name }: Plant) =>
  positionals.length === 0 || positionals.some((start) => name.startsWith(start))

const plants = loadPlants(root).filter(isWanted)
const left = plants[Symbol.iterator]()
const findings: Finding[] = []
const workers = Math.min(plants.length, Number(values.workers ?? availableParallelism()))
await Promise.all(Array.from({ length: workers }, work))
report()

async function work(): Promise<void> {
  using tree = new ScratchTree(root)
  for (const plant of left) {
    const finding = await find(tree, plant)
    findings.push(finding)
    console.log(line(finding))
    if (finding.state === 'found')
      console.log(`    ${finding.message.split('\n')[0]?.slice(0, 200)}`)
  }
}

async function find(tree: ScratchTree, plant: Plant): Promise<Finding> {
  const beganMs = performance.now()
  const { scenario } = plant
  let runs = 0
  const end = (state: Finding['state'], seeds: number, oracle = '', message = ''): Finding => {
    const seconds = (performance.now() - beganMs) / 1000
    return { plant, state, oracle, message, seeds, runs, seconds }
  }
  if (staleEdit(root, plant) !== undefined) return end('does not apply', 0)
  tree.plant(plant)
  try {
    using worker = new Worker(join(tree.path, 'scripts/sim/worker.ts'))
    using sound = new Worker()
    for (let seed = 1; seed <= seedsMax; seed++) {
      if (!mayShow(plant, seed)) continue
      runs++
      const { violation } = await worker.run({ scenario, seed, less: {} })
      if (violation === undefined) continue
      // A seed that fails without the bug, too, has found something else.
      const without = await sound.run({ scenario, seed, less: {} })
      if (without.violation === undefined)
        return end('found', seed, violation.oracle, violation.message)
      console.log(
        `seed ${seed} FAILS WITHOUT A BUG: ${without.violation.oracle}: ${without.violation.message}`,
      )
    }
    return end('not found', seedsMax)
  } finally {
    tree.uproot(plant)
  }
}

function report(): void {
  console.log('\nplanted bugs')
  for (const finding of findings.sort((a, b) => (a.plant.name < b.plant.name ? -1 : 1)))
    console.log(line(finding))
  const count = (state: Finding['state']) => findings.filter((one) => one.state === state).length
  for (const { plant } of findings.filter(({ state }) => state === 'does not apply')) {
    const edit = staleEdit(root, plant)
    console.log(
      `to be written anew: ${plant.name}: not once in ${edit?.file}: ${JSON.stringify(edit?.find)}`,
    )
  }
  console.log(
    `${count('found')} found, ${count('not found')} not found, ${count('does not apply')} no longer apply`,
  )
  process.exit(count('found') === findings.length && findings.length > 0 ? 0 : 1)
}

function line({ plant, state, oracle, seeds, runs, seconds }: Finding): string {
  const by =
    state === 'found' ? oracle + (plant.expect.includes(oracle) ? '' : ' (unexpected)') : state
  return `${plant.name.padEnd(38)} ${by.padEnd(28)} ${String(seeds).padStart(5)} seeds ${String(runs).padStart(5)} runs ${seconds.toFixed(0).padStart(5)} s`
}
