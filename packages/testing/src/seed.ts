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

/** What a test runner tells of a test: of Vitest's context, as much as is needed. */
export type FailedTest = { readonly task?: { readonly name?: string | undefined } | undefined }

/** Says on stderr how to have the same run again. */
export async function printSeed(seed: number, test?: FailedTest): Promise<void> {
  await nodeEnv().program.stderr.write(`repeat with: ${repeatLine(seed, test)}\n`)
}

/** For a shell. */
export function repeatLine(seed: number, { task }: FailedTest = {}): string {
  const which = task?.name === undefined ? '' : ` npx vitest run -t ${quoted(task.name)}`
  return `${VARIABLE}=${seed}${which}`
}

/** The pattern of `-t` is a regular expression. */
function quoted(name: string): string {
  const pattern = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return `'${pattern.replaceAll("'", `'\\''`)}'`
}
