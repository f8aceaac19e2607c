// dump-log and verify: what is on disk, printed. Reads only.
import { inspectEmbeddedStore } from '@minikafka/cluster'
import type { Env } from '@minikafka/platform'
import { InvalidConfig } from '../config/index.ts'
import { dumpLog, type InspectLine, verifyDirectory } from '../log/index.ts'

const PROBLEM = 1

export async function dump(
  env: Env,
  files: readonly string[],
  options: { records?: boolean; from: string },
): Promise<void> {
  const from = Number(options.from)
  if (!Number.isSafeInteger(from) || from < 0) {
    throw new InvalidConfig('from', `--from ${options.from}: expected an offset, 0 or more`)
  }
  let problems = 0
  for (const file of files) {
    if (files.length > 1) await env.program.stdout.write(`${file}:\n`)
    problems += await print(env, dumpLog(env, file, { records: options.records === true, from }))
  }
  env.program.exit(problems === 0 ? 0 : PROBLEM)
}

export async function verify(
  env: Env,
  directory: string,
  options: { deep?: boolean },
): Promise<void> {
  const problems = await print(
    env,
    verifyDirectory(env, directory, { deep: options.deep === true, also: verifyMetadata }),
  )
  await env.program.stderr.write(
    problems === 0 ? 'no problem found\n' : `${problems} problems found\n`,
  )
  env.program.exit(problems === 0 ? 0 : PROBLEM)
}

async function* verifyMetadata(env: Env, directory: string): AsyncGenerator<InspectLine> {
  for (const text of await inspectEmbeddedStore(env, directory)) yield { text, problem: true }
}

/** Returns how many of the lines name a problem. */
async function print(env: Env, lines: AsyncIterable<InspectLine>): Promise<number> {
  let problems = 0
  for await (const { text, problem } of lines) {
    await env.program.stdout.write(`${text}\n`)
    if (problem) problems++
  }
  return problems
}
