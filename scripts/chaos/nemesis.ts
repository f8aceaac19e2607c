// What befalls the broker, drawn from a seed: which faults in which order. The moments are real time.
import { type Dice, pass } from './dice.ts'
import type { Victim } from './victim.ts'

/** Between two faults the broker serves so long, in ms. */
const PEACE_MS = { least: 100, most: 2_000 }
const PAUSE_MS = { least: 200, most: 3_000 }
/** A start takes about so long: the second death comes before or after it is ready. */
const START_MS = { least: 50, most: 600 }

type Fault = { readonly name: string; readonly weight: number; befall(): Promise<void> }

/** Ends when the broker was killed `kills` times; it runs then. Resolves with how often each fault befell it. */
export async function rage(
  victim: Victim,
  dice: Dice,
  options: { readonly kills: number; tell(): void },
): Promise<Map<string, number>> {
  const faults = faultsOf(victim, dice)
  const counts = new Map(faults.map(({ name }) => [name, 0]))
  while (victim.killCount < options.kills) {
    await pass(dice.between(PEACE_MS))
    const { name, befall } = dice.weighted(faults)
    await befall()
    counts.set(name, (counts.get(name) ?? 0) + 1)
    options.tell()
  }
  return counts
}

function faultsOf(victim: Victim, dice: Dice): readonly Fault[] {
  const pause = () => victim.pause(dice.between(PAUSE_MS))
  return [
    { name: 'SIGKILL', weight: 6, befall: () => victim.kill() },
    { name: 'SIGSTOP, SIGCONT', weight: 2, befall: pause },
    {
      name: 'SIGSTOP, SIGCONT, SIGKILL at once',
      weight: 1,
      befall: () => pause().then(() => victim.kill()),
    },
    { name: 'SIGTERM', weight: 1, befall: () => victim.stop() },
    {
      name: 'SIGKILL, and once more while it starts',
      weight: 1,
      befall: () => victim.killTwice(dice.between(START_MS)),
    },
  ]
}
