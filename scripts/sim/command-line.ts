// The command line of the simulation. Enters: arguments. Leaves: what to run, or how it is used.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import type { Less, ScenarioName } from './scenarios.ts'

export type Wanted = {
  readonly scenario: ScenarioName
  readonly from: number
  readonly to: number
  readonly less: Less
  /** The timeline also of a run that went well. */
  readonly verbose: boolean
  readonly workers: number
  /** Ends at the first failure. */
  readonly first: boolean
  /** Makes failing runs smaller. */
  readonly shrinks: boolean
}

export const USAGE = `usage: npm run sim -- --seed N [--verbose]       replays one seed, with a timeline
       npm run sim -- --seeds A..B                runs many, on all cores
  --groups            the scenario of consumer groups; without it, one broker and its producers
  --without kinds     leaves out kinds of faults and of work, separated by commas: kill,stall,consumers,buggify
  --records N         at most so many records of each producer; also --producers N, --topics N, --members N (of a group)
  --first             ends at the first failure
  --no-shrink         does not make a failing run smaller
  --workers N         processes; default: one for each core`

/** Errors: an Error whose message says what is wrong. */
export function parse(args: readonly string[]): Wanted {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      without: { type: 'string' },
      records: { type: 'string' },
      producers: { type: 'string' },
      topics: { type: 'string' },
      members: { type: 'string' },
      groups: { type: 'boolean', default: false },
      workers: { type: 'string' },
      verbose: { type: 'boolean', default: false },
      first: { type: 'boolean', default: false },
      'no-shrink': { type: 'boolean', default: false },
    },
  })
  const [from = Number.NaN, to = from] = (values.seed ?? values.seeds ?? '').split('..').map(Number)
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || to < from)
    throw new Error('--seed N or --seeds A..B is needed')
  return {
    scenario: values.groups ? 'groups' : 'one-broker',
    from,
    to,
    less: {
      without: values.without?.split(','),
      records: numberOf(values.records),
      producers: numberOf(values.producers),
      topics: numberOf(values.topics),
      members: numberOf(values.members),
    },
    verbose: values.verbose,
    workers: numberOf(values.workers) ?? availableParallelism(),
    first: values.first,
    shrinks: !values['no-shrink'],
  }
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}

/** The line that repeats a run. */
export function lineOf(scenario: ScenarioName, seed: number, less: Less): string {
  const { without = [], records, producers, topics, members } = less
  const options = [
    without.length === 0 ? '' : ` --without ${without.join(',')}`,
    records === undefined ? '' : ` --records ${records}`,
    producers === undefined ? '' : ` --producers ${producers}`,
    topics === undefined ? '' : ` --topics ${topics}`,
    members === undefined ? '' : ` --members ${members}`,
  ]
  const which = scenario === 'groups' ? '--groups ' : ''
  return `npm run sim -- ${which}--seed ${seed} --verbose${options.join('')}`
}
