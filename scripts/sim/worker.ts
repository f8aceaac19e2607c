// A process that runs seeds of scenarios, one after the other, as its parent asks.
// Enters: jobs. Leaves: outcomes, also of a seed whose code under test left a rejection to nobody.
import { type Less, type Outcome, type ScenarioName, scenarioOf } from './scenarios.ts'

export type Job = { readonly scenario: ScenarioName; readonly seed: number; readonly less: Less }

let unhandled: unknown[] = []
process.on('unhandledRejection', (error) => unhandled.push(error))
// Such as the one of too many listeners: it shows a leak, or frightens whoever runs the code.
process.on('warning', (warning) => unhandled.push(warning))

let last: Promise<void> = Promise.resolve()
process.on('message', (job: Job) => {
  last = last.then(() => run(job))
})
process.on('disconnect', () => process.exit(0))

async function run({ scenario, seed, less }: Job): Promise<void> {
  unhandled = []
  const outcome = await scenarioOf(scenario).run(seed, { less })
  // Node tells of a rejection in the turn after it: the last one must not become the next seed's.
  await new Promise((resolve) => setImmediate(resolve))
  process.send?.(outcome.violation === undefined ? withUnhandled(outcome) : outcome)
}

function withUnhandled(outcome: Outcome): Outcome {
  const [error] = unhandled
  if (error === undefined) return outcome
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { ...outcome, violation: { oracle: 'unhandled', message } }
}
