// What `npm test` runs, fastest first. Counts every test; ends with one plain line `N passed, N failed`.
// A step that is no test (format, layers, types, dead code) counts as one.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { undoAtExit } from './at-exit.ts'
import { temporaryFolder } from './temporary-folder.ts'

type Count = { passed: number; failed: number; skipped: number }
type Report = {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTotalTests: number
}

const node = process.execPath
const source = ['--import', 'tsx', '--conditions=@minikafka/source']
/** Colours only where somebody looks. */
const plain = process.stdout.isTTY ? process.env : { ...process.env, NO_COLOR: '1' }
using reports = temporaryFolder(tmpdir(), 'minikafka-check-')
const total: Count = { passed: 0, failed: 0, skipped: 0 }

await step('format and lint', 'node_modules/@biomejs/biome/bin/biome', [
  'ci',
  '--error-on-warnings',
  '.',
])
await step('layers and the one door', undefined, [...source, 'scripts/tidy.ts'])
await step('types', 'node_modules/typescript/bin/tsc', ['-b'])
await step('programs', undefined, [...source, 'scripts/bundle.ts'])
await step('dead code', 'node_modules/knip/bin/knip.js', [])
await step('packages, as a stranger has them', undefined, [...source, 'scripts/pack-check.ts'])
await suite('unit')
await suite('integration')
await suite('simulation')
await suite('fuzz')

if (total.skipped > 0) console.log(`${total.skipped} not run (said above)`)
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0

async function step(
  name: string,
  program: string | undefined,
  args: readonly string[],
): Promise<void> {
  const ok = await run(name, program === undefined ? args : [program, ...args])
  add({ passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 })
}

async function suite(project: string): Promise<void> {
  const report = join(reports.path, `${project}.json`)
  const ok = await run(`tests: ${project}`, [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ])
  add(countOf(report, ok))
}

/** A suite that failed without a failing test (it could not be loaded, say) counts as one failure. */
function countOf(report: string, ok: boolean): Count {
  try {
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(
      readFileSync(report, 'utf8'),
    ) as Report
    const failed = ok ? numFailedTests : Math.max(1, numFailedTests)
    return { passed: numPassedTests, failed, skipped: numPendingTests }
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }
  }
}

/** Not spawnSync: a signal must end the child, too, and not only this process. */
async function run(name: string, args: readonly string[]): Promise<boolean> {
  const began = performance.now()
  console.log(`\n== ${name}`)
  const child = spawn(node, args, { stdio: 'inherit', env: plain })
  const end = undoAtExit(() => child.kill())
  const status = await new Promise<number | null>((resolve) => child.once('exit', resolve))
  end()
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  console.log(`== ${name}: ${status === 0 ? 'ok' : 'FAILED'} in ${seconds} s`)
  return status === 0
}

function add(count: Count): void {
  total.passed += count.passed
  total.failed += count.failed
  total.skipped += count.skipped
}
