// The process in which one fuzz target runs: fuzz.ts starts it, watches it and may have to kill it.
// `fuzz-child.ts TARGET SEED FROM COUNT MARK`: MARK is a file that always names the input under way.
import { openSync, readFileSync, writeSync } from 'node:fs'
import { runTarget, type Tally } from '../packages/testing/fuzz/run-target.ts'
import { targets } from '../packages/testing/fuzz/targets/index.ts'

/** What the parent hears: now and then, and in the end. */
export type Told = {
  readonly isDone: boolean
  readonly inputs: number
  readonly accepted: number
  readonly refused: readonly (readonly [string, number])[]
  /** Since the message before: an input is large, and need be said once. */
  readonly found: readonly { index: number; input: string | undefined; error: string }[]
  readonly rssBytesPeak: number
}

const TELL_EVERY_MS = 500
const KIB = 1024

const [name = '', seed = '', from = '', count = '', mark = ''] = process.argv.slice(2)
const target = targets.find((one) => one.name === name)
if (target === undefined) throw new Error(`there is no target ${name}`)
const file = openSync(mark, 'r+')
const number = Buffer.alloc(8)
let toldMs = 0
let foundTold = 0

const range = { seed: Number(seed), from: Number(from), count: Number(count) }
const began = (index: number, soFar: Tally) => {
  number.writeBigInt64BE(BigInt(index))
  writeSync(file, number, 0, number.length, 0)
  if (performance.now() - toldMs < TELL_EVERY_MS) return
  toldMs = performance.now()
  process.send?.(told(soFar, false))
}
const tally = await runTarget(target, range, { began })
process.send?.(told(tally, true), () => process.exit(0))

function told({ inputs, accepted, refused, found }: Tally, isDone: boolean): Told {
  const news = found.slice(foundTold)
  foundTold = found.length
  return {
    isDone,
    inputs,
    accepted,
    refused: [...refused],
    found: news.map(({ index, input, error }) => ({
      index,
      input: input?.toString('base64'),
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    })),
    rssBytesPeak: rssBytesPeak(),
  }
}

/** On Linux getrusage(2) tells of the parent as well, where that was larger when it forked. */
function rssBytesPeak(): number {
  const { maxRSS } = process.resourceUsage()
  if (process.platform !== 'linux') return maxRSS * KIB
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))
  return Number(peak?.[1] ?? maxRSS) * KIB
}
