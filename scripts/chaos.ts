// A real broker under load is killed, paused and started again at random moments; then every record is held against
// what its producer was told, and what one reader saw against what the others saw.
// `npm run chaos [-- --kills 30 --rate 6000 --partitions 6 --seed N --dir FOLDER]`; exit code 1: a promise was broken.
import { execFileSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Client } from '@minikafka/client'
import { checkHistory, type HistoryReport } from '@minikafka/testing'
import { Dice } from './chaos/dice.ts'
import { Journal } from './chaos/journal.ts'
import { rage } from './chaos/nemesis.ts'
import { Readers, readAll } from './chaos/readers.ts'
import { Victim } from './chaos/victim.ts'
import { Writers } from './chaos/writers.ts'

const TOPIC = 'chaos'
const BROKER = join(import.meta.dirname, '..', 'packages/broker/dist/bin.cjs')
const LISTED_MAX = 10

const { values: flags } = parseArgs({
  options: {
    kills: { type: 'string', default: '30' },
    rate: { type: 'string', default: '6000' },
    partitions: { type: 'string', default: '6' },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    dir: { type: 'string', default: tmpdir() },
  },
})

async function main(): Promise<boolean> {
  const { kills, rate, partitions, seed } = numbersOf(flags)
  console.log(`${kills} kills of a broker that is sent ${rate} records/s; seed ${seed}`)
  const began = performance.now()
  await using victim = await Victim.start(flags.dir)
  const place = { brokers: victim.address, topic: TOPIC }
  await createTopic(place, partitions)
  const journal = new Journal()
  const writers = new Writers({ ...place, partitions, rate }, journal)
  const readers = new Readers(place, journal)
  const faults = await rage(victim, new Dice(seed), {
    kills,
    tell: () => tellProgress(victim, kills, writers),
  })
  await writers.stop()
  const ends = await endsOf(place)
  await readers.stopAt(ends)
  await readAll(place, ends, journal)
  await victim.end()
  const seconds = (performance.now() - began) / 1000
  report({ faults, victim, writers, ends, seconds })
  const isSound = verify(victim.directory)
  return judge(checkHistory(journal.operations)) && isSound
}

function numbersOf(given: typeof flags): Record<'kills' | 'rate' | 'partitions' | 'seed', number> {
  const numberOf = (name: 'kills' | 'rate' | 'partitions' | 'seed') => {
    const value = Number(given[name])
    if (Number.isSafeInteger(value) && value > 0) return value
    console.error(`--${name} ${given[name]}: expected a whole number above 0`)
    process.exit(2)
  }
  return {
    kills: numberOf('kills'),
    rate: numberOf('rate'),
    partitions: numberOf('partitions'),
    seed: numberOf('seed'),
  }
}

async function createTopic(
  { brokers, topic }: { brokers: string; topic: string },
  partitions: number,
): Promise<void> {
  await using client = new Client({ brokers, logger: false })
  // Small segments roll every few seconds: deaths fall between all the steps of a roll.
  await client.admin().createTopic(topic, { partitions, config: { 'segment.bytes': 2 ** 20 } })
}

async function endsOf({ brokers, topic }: { brokers: string; topic: string }): Promise<number[]> {
  await using client = new Client({ brokers, logger: false })
  const ends = await client.admin().offsets(topic, 'latest')
  return ends.map(({ offset }) => offset)
}

// --- words -------------------------------------------------------------------------------------

function tellProgress(victim: Victim, kills: number, { outcomes }: Writers): void {
  const text = `${victim.killCount} of ${kills} kills, ${outcomes.acknowledged.toLocaleString('en')} acknowledged`
  if (process.stdout.isTTY) process.stdout.write(`\r${text}  `)
  else if (victim.killCount % 10 === 0) console.log(text)
}

function report(run: {
  faults: Map<string, number>
  victim: Victim
  writers: Writers
  ends: readonly number[]
  seconds: number
}): void {
  const { faults, victim, writers, ends, seconds } = run
  const { acknowledged, notWritten, unknown } = writers.outcomes
  if (process.stdout.isTTY) console.log()
  const counted = [...faults].map(([name, count]) => `${count} x ${name}`)
  const ready = [...victim.readyMs].sort((a, b) => a - b)
  const inMs = (share: number) => (ready[Math.floor((ready.length - 1) * share)] ?? 0).toFixed(0)
  line('run', `${seconds.toFixed(0)} s, ${victim.killCount} kills`)
  line('faults', counted.join(', '))
  line('ready again', `${inMs(0.5)} ms (median), ${inMs(1)} ms (slowest of ${ready.length})`)
  line('acknowledged', `${acknowledged.toLocaleString('en')} records`)
  line('not written', `${notWritten.toLocaleString('en')}, by a definite error`)
  line('unknown', `${unknown.toLocaleString('en')}, by a time-out that fell into a death`)
  line('in the log', `${ends.reduce((sum, end) => sum + end, 0).toLocaleString('en')} records`)
}

/** `verify --deep` of what the last clean stop left. */
function verify(directory: string): boolean {
  try {
    execFileSync(process.execPath, [BROKER, 'verify', '--deep', directory], { encoding: 'utf8' })
    line('verify --deep', 'no problem found')
    return true
  } catch (error) {
    line('verify --deep', String((error as { stdout?: unknown }).stdout ?? error))
    return false
  }
}

function judge(found: HistoryReport): boolean {
  const count = (kind: keyof HistoryReport['anomalyCounts']) => found.anomalyCounts[kind] ?? 0
  line('lost', String(count('lost-write') + count('unseen')))
  line('duplicated', String(count('duplicate')))
  line('reordered', String(count('nonmonotonic-send') + count('int-nonmonotonic-send')))
  line('visible in spite of a definite error', String(count('definite-error-visible')))
  line('changed after it was read', String(count('inconsistent-offsets') + count('offset-reuse')))
  const kinds = Object.entries(found.anomalyCounts)
  line('anomalies of any kind', kinds.map(([kind, n]) => `${n} ${kind}`).join(', ') || '0')
  for (const { kind, text } of found.anomalies.slice(0, LISTED_MAX))
    console.log(`  ${kind}: ${text}`)
  return kinds.length === 0
}

function line(name: string, text: string): void {
  console.log(`${name.padEnd(38)}${text}`)
}

process.exitCode = (await main()) ? 0 : 1
