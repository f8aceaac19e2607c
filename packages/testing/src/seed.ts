// Where a seed comes from when none was given, and how a failed test says it.
import { nodeEnv } from '@minikafka/platform'

const VARIABLE = 'MINIKAFKA_SEED'

/** Of the variable MINIKAFKA_SEED, or drawn. Errors: RangeError where the variable is no whole number. */
export function chooseSeed(): number {
  const { program, random } = nodeEnv()
  const text = program.variables[VARIABLE]
  if (text === undefined || text === '') return random.below(2 ** 31)
  const seed = Number(text)
  if (!Number.isSafeInteger(seed)) throw new RangeError(`${VARIABLE}: '${text}' is no whole number`)
  return seed
}

export async function printSeed(seed: number): Promise<void> {
  await nodeEnv().program.stderr.write(`repeat with ${VARIABLE}=${seed}\n`)
}
