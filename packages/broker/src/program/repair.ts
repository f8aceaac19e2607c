// repair: says what would be lost, asks, and does it. Enters: a directory, a partition, a way. Leaves: an exit code.
import type { Env } from '@minikafka/platform'
import { InvalidConfig } from '../config/index.ts'
import { Repair, type RepairWay } from '../log/index.ts'

const REFUSED = 1

export type RepairFlags = {
  readonly truncate?: boolean
  readonly keepHole?: boolean
  readonly yes?: boolean
  readonly dryRun?: boolean
}

export async function repair(
  env: Env,
  directory: string,
  partition: string,
  flags: RepairFlags,
): Promise<void> {
  const { stdout, stderr } = env.program
  const way = wayOf(flags)
  const work = await Repair.open(env, directory, partition)
  try {
    if (work.isNeedless) {
      await stderr.write('nothing to repair\n')
      return env.program.exit(0)
    }
    for (const line of work.words(way)) await stdout.write(`${line}\n`)
    if (flags.dryRun === true) return env.program.exit(0)
    if (flags.yes !== true && !(await isConfirmed(env))) {
      await stderr.write('nothing was changed\n')
      return env.program.exit(REFUSED)
    }
    for (const copy of await work.run(way)) await stdout.write(`kept a copy: ${copy}\n`)
    await stderr.write(`repaired; minikafka-broker verify --deep ${directory} looks again\n`)
    env.program.exit(0)
  } finally {
    await work.close()
  }
}

function wayOf({ truncate, keepHole }: RepairFlags): RepairWay {
  if (truncate === keepHole) {
    throw new InvalidConfig(
      'repair',
      'repair takes --truncate (cut the log at the damage) or --keep-hole (give up the damaged offsets alone)',
    )
  }
  return truncate === true ? 'truncate' : 'keep-hole'
}

/** What destroys asks on a terminal, elsewhere needs --yes (CLIENT 6.1). */
async function isConfirmed({ program }: Env): Promise<boolean> {
  if (!program.stdin.isTTY || !program.stderr.isTTY) {
    await program.stderr.write('this destroys data: say --yes\n')
    return false
  }
  await program.stderr.write('Go on? [y/N] ')
  let answer = ''
  for await (const chunk of program.stdin.chunks()) {
    answer += chunk.toString('utf8')
    if (answer.includes('\n')) break
  }
  return /^\s*y(es)?\s*$/i.test(answer)
}
