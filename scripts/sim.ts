// `npm run sim`: the scenarios `one broker` and `groups` from seeds: one with its timeline, or many with their denominators.
// Enters: arguments, see sim/command-line.ts. Leaves: exit code 1 where a promise was broken, and how to repeat that.
import { execFileSync } from 'node:child_process'
import { lineOf, parse, USAGE, type Wanted } from './sim/command-line.ts'
import { runAll, Worker } from './sim/pool.ts'
import { type Outcome, scenarioOf } from './sim/scenarios.ts'
import { shrink } from './sim/shrink.ts'
import { Totals } from './sim/totals.ts'
import type { Job } from './sim/worker.ts'

const PROGRESS_MS = 5000
/** One seed in so many runs a second time, in another process. */
const TWICE_EVERY = 100
const TIMELINE_LINES = 60

await main()

async function main(): Promise<void> {
  let wanted: Wanted
  try {
    wanted = parse(process.argv.slice(2))
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`)
    process.exit(2)
  }
  const isGood = wanted.from === wanted.to ? await replay(wanted) : await runMany(wanted)
  process.exit(isGood ? 0 : 1)
}

async function replay(wanted: Wanted): Promise<boolean> {
  const { scenario, from: seed, less, verbose, shrinks } = wanted
  using worker = new Worker()
  const totals = new Totals()
  const outcome = await worker.run({ scenario, seed, less })
  if (verbose) console.log(JSON.stringify(scenarioOf(scenario).plan(seed, less), undefined, 2))
  if (verbose) console.log(outcome.timeline.join('\n'))
  totals.add(outcome)
  console.log(totals.lines().slice(1, -1).join('\n'))
  if (outcome.violation === undefined) {
    console.log(`seed ${seed}: every promise was kept; hash ${outcome.hash}`)
    return true
  }
  await tell(outcome, { ...wanted, shrinks: !verbose && shrinks })
  return false
}

async function runMany(wanted: Wanted): Promise<boolean> {
  const totals = new Totals()
  let isSame = true
  let saidMs = performance.now()
  await runAll(jobsOf(wanted), wanted.workers, async (outcome) => {
    totals.add(outcome)
    if (outcome.violation !== undefined) await tell(outcome, wanted)
    else if (outcome.seed % TWICE_EVERY === 0)
      isSame = (await runsAlike(outcome, wanted, totals)) && isSame
    if (performance.now() - saidMs > PROGRESS_MS) {
      saidMs = performance.now()
      console.log(`… ${totals.progress()}`)
    }
    return !(wanted.first && totals.failed.length > 0)
  })
  console.log(totals.lines().join('\n'))
  if (totals.failed.length > 0)
    console.log(`failed seeds: ${totals.failed.sort((a, b) => a - b).join(' ')}`)
  return isSame && totals.failed.length === 0
}

function* jobsOf({ scenario, from, to, less }: Wanted): Iterable<Job> {
  for (let seed = from; seed <= to; seed++) yield { scenario, seed, less }
}

/** The same seed and code give the same run, also in another process: else real time or dice leaked in. */
async function runsAlike(
  first: Outcome,
  { scenario, less }: Wanted,
  totals: Totals,
): Promise<boolean> {
  using worker = new Worker()
  const second = await worker.run({ scenario, seed: first.seed, less })
  totals.determinismChecks++
  if (first.hash === second.hash) return true
  console.log(
    `seed ${first.seed}: NOT THE SAME RUN in two processes: ${first.hash}, ${second.hash}`,
  )
  return false
}

/** A failure: what, how to repeat it, what happened; and the smallest run that fails alike. */
async function tell(outcome: Outcome, { scenario, less, shrinks }: Wanted): Promise<void> {
  using worker = new Worker()
  const { seed, violation } = outcome
  const shrunk = shrinks ? await shrink(worker, scenario, outcome, less) : undefined
  const { timeline } = shrunk?.outcome ?? outcome
  const lines = [
    '',
    `seed ${seed} FAILED: ${violation?.oracle}: ${violation?.message}`,
    `commit ${commit()}; repeat with: ${lineOf(scenario, seed, less)}`,
    ...(shrunk === undefined
      ? []
      : [
          `smallest of ${shrunk.runs} runs: ${lineOf(scenario, seed, shrunk.less)}`,
          `  ${shrunk.outcome.violation?.message}`,
        ]),
    ...timeline.slice(-TIMELINE_LINES).map((line) => `  ${line}`),
    '',
  ]
  console.log(lines.join('\n'))
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}
