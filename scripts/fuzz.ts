// Feeds hostile inputs to decoders, files, a broker and a client, each target in a process of its own.
// `npm run fuzz -- [--inputs N] [--seed N] [--target NAME] [--from N]`: prints what became of them, per target; what fails
// is kept in the corpus, and the command that repeats it is printed. Exit code 1 if anything did.
import { fork } from 'node:child_process'
import { closeSync, openSync, readSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Presets, SingleBar } from 'cli-progress'
import { keepFound } from '../packages/testing/fuzz/corpus.ts'
import { Dice } from '../packages/testing/fuzz/dice.ts'
import type { Target } from '../packages/testing/fuzz/target.ts'
import { targets } from '../packages/testing/fuzz/targets/index.ts'
import { undoAtExit } from './at-exit.ts'
import type { Told } from './fuzz-child.ts'
import { temporaryFolder } from './temporary-folder.ts'

const INPUTS_DEFAULT = 100_000
const CHILD = join(import.meta.dirname, 'fuzz-child.ts')
const LOOK_MS = 1000
/** Real time in which not one input was done: no machine is that slow. */
const HANG_LOOKS = 60
/** MiB. Otherwise most of a process is garbage that a busy machine has not collected yet, and what is held hides in it. */
const HEAP = ['--max-semi-space-size=4', '--max-old-space-size=192']
const NUMBER_SIZE = 8
const STACK_LINES = 4
const LINE_CHARS = 300
const MIB = 2 ** 20

type Report = {
  inputs: number
  accepted: number
  readonly refused: Map<string, number>
  crashes: number
  hangs: number
  rssBytesPeak: number
  readonly lines: string[]
}

const { values: flags } = parseArgs({
  options: {
    inputs: { type: 'string', default: String(INPUTS_DEFAULT) },
    seed: { type: 'string', default: '1' },
    target: { type: 'string' },
    from: { type: 'string', default: '0' },
  },
})
const seed = Number(flags.seed)
const folder = temporaryFolder(tmpdir(), 'minikafka-fuzz-')

async function main(): Promise<void> {
  const chosen = targets.filter(({ name }) => flags.target === undefined || name === flags.target)
  if (chosen.length === 0) throw new Error(`the targets are ${targets.map(({ name }) => name)}`)
  console.log(`seed ${seed}`)
  let inputs = 0
  let failed = 0
  const refused = new Set<string>()
  for (const target of chosen) {
    const report = await run(target, countOf(target))
    print(target, report)
    inputs += report.inputs
    failed += report.lines.length
    for (const name of report.refused.keys()) refused.add(name)
  }
  console.log(`${inputs.toLocaleString('en')} inputs, ${failed} failures`)
  process.exitCode = failed > 0 ? 1 : 0
}

function countOf({ share }: Target): number {
  const inputs = Number(flags.inputs)
  return flags.target === undefined ? Math.ceil((inputs * share) / 1000) : inputs
}

async function run(target: Target, count: number): Promise<Report> {
  const report: Report = {
    inputs: 0,
    accepted: 0,
    refused: new Map(),
    crashes: 0,
    hangs: 0,
    rssBytesPeak: 0,
    lines: [],
  }
  const bar = progress(target.name, count)
  const end = Number(flags.from) + count
  for (let from = Number(flags.from); from < end; ) {
    from = await runChild(target, { from, count: end - from }, report, (index) => {
      bar.update(index - Number(flags.from))
    })
  }
  bar.stop()
  if (report.rssBytesPeak > target.rssBytesMax) report.lines.push('memory above its bound')
  return report
}

/** One process, until all is done or an input ended it. Returns where to go on. */
async function runChild(
  target: Target,
  range: { from: number; count: number },
  report: Report,
  progressed: (index: number) => void,
): Promise<number> {
  const mark = join(folder.path, target.name)
  const file = openSync(mark, 'w+')
  const args = [target.name, String(seed), String(range.from), String(range.count), mark]
  const child = fork(CHILD, args, { execArgv: [...process.execArgv, ...HEAP] })
  const kill = undoAtExit(() => child.kill('SIGKILL'))
  let told: Told | undefined
  const found: Told['found'][number][] = []
  let hangs = false
  child.on('message', (message) => {
    told = message as Told
    found.push(...told.found)
  })
  let last = -1
  let idleLooks = 0
  const look = setInterval(() => {
    const index = numberIn(file)
    idleLooks = index === last ? idleLooks + 1 : 0
    last = index
    progressed(index)
    hangs = idleLooks >= HANG_LOOKS
    if (hangs) child.kill('SIGKILL')
  }, LOOK_MS)
  const code = await new Promise<number | string>((resolve) => {
    child.once('exit', (exitCode, signal) => resolve(exitCode ?? signal ?? 'nobody knows what'))
  })
  clearInterval(look)
  kill()
  const index = numberIn(file)
  closeSync(file)
  if (told !== undefined) add(report, { ...told, found }, target)
  if (told?.isDone) return range.from + range.count
  report[hangs ? 'hangs' : 'crashes']++
  const what = hangs ? 'a hang' : `the process ended with ${code}`
  report.lines.push(`${what}: ${kept(target, await inputOf(target, index), index)}`)
  return index + 1
}

function add(report: Report, told: Told, target: Target): void {
  report.inputs += told.inputs
  report.accepted += told.accepted
  for (const [name, count] of told.refused) {
    report.refused.set(name, (report.refused.get(name) ?? 0) + count)
  }
  report.rssBytesPeak = Math.max(report.rssBytesPeak, told.rssBytesPeak)
  report.crashes += told.found.length
  for (const { index, input, error } of told.found) {
    const bytes = input === undefined ? undefined : Buffer.from(input, 'base64')
    report.lines.push(`${shortened(error)}\n      ${kept(target, bytes, index)}`)
  }
}

/** What it says, and where: a value in a message may fill pages. */
function shortened(error: string): string {
  const lines = error.split('\n').slice(0, STACK_LINES)
  return lines.map((line) => line.slice(0, LINE_CHARS)).join('\n')
}

/** The input as a file, and how to make it again. */
function kept(target: Target, input: Buffer | undefined, index: number): string {
  const first = index - (index % target.sessionSize)
  const command = `npm run fuzz -- --target ${target.name} --seed ${seed}`
  const alone = `${command} --from ${index} --inputs 1`
  const inSession = `${command} --from ${first} --inputs ${index - first + 1}`
  const file = input === undefined ? '' : `kept as ${keepFound(target.name, input)}; `
  return `${file}${alone}; with its session: ${inSession}`
}

async function inputOf(target: Target, index: number): Promise<Buffer> {
  return target.generate(new Dice(seed, `${target.name} ${index}`), await target.seeds())
}

function numberIn(file: number): number {
  const bytes = Buffer.alloc(NUMBER_SIZE)
  return readSync(file, bytes, 0, NUMBER_SIZE, 0) < NUMBER_SIZE ? 0 : Number(bytes.readBigInt64BE())
}

function print(target: Target, report: Report): void {
  const { inputs, accepted, refused, crashes, hangs, rssBytesPeak, lines } = report
  const names = [...refused].sort(([, a], [, b]) => b - a)
  const refusals = names.map(([name, count]) => `${name} ${count.toLocaleString('en')}`)
  const rss = `RSS ${Math.round(rssBytesPeak / MIB)} of ${target.rssBytesMax / MIB} MiB`
  const counts = [inputs, accepted].map((count) => count.toLocaleString('en'))
  console.log(
    `${target.name.padEnd(10)} ${counts[0]} inputs, ${counts[1]} accepted, crashes ${crashes}, hangs ${hangs}, ${rss}`,
  )
  console.log(`           refused: ${refusals.join(', ')}`)
  for (const line of lines) console.log(`    FAILED ${line}`)
}

function progress(what: string, total: number): SingleBar {
  const format = `${what.padEnd(10)} {bar} {percentage} %  {value} of {total}  {eta_formatted} left`
  const options = { format, hideCursor: true, noTTYOutput: false, clearOnComplete: true }
  const bar = new SingleBar(options, Presets.shades_classic)
  bar.start(total, 0)
  return bar
}

await main()
