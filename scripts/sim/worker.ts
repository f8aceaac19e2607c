// A process that runs seeds of the scenario, one after the other, as its parent asks.
// Enters: jobs. Leaves: outcomes, also of a seed whose code under test left a rejection to nobody.
import {
  type Less,
  type Outcome,
  runOneBroker,
} from '../../packages/testing/scenarios/one-broker/index.ts'

export type Job = { readonly seed: number; readonly less: Less }

let unhandled: unknown[] = []
process.on('unhandledRejection', (error) => unhandled.push(error))
// Such as the one of too many listeners: it shows a leak, or frightens whoever runs the code.
process.on('warning', (warning) => unhandled.push(warning))

let last: Promise<void> = Promise.resolve()
process.on('message', (job: Job) => {
  last = last.then(() => run(job))
})
process.on('disconnect', () => process.exit(0))

async function run({ seed, less }: Job): Promise<void> {
  unhandled = []
  const outcome = await runOneBroker(seed, { less })
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
