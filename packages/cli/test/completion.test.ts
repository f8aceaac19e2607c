// minikafka completion, and what shells ask it: names of the cluster where a broker answers, else words that are known.
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Env } from '@minikafka/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { quietEnv, type RunningBroker, runBroker } from '../../broker/test/running-broker.ts'
import { commandLineOf, run } from './program.ts'

let broker: RunningBroker
let at: string
const home = mkdtempSync(join(tmpdir(), 'minikafka-home-'))

beforeAll(async () => {
  broker = await runBroker()
  at = `127.0.0.1:${broker.port}`
  const { mk } = commandLineOf(broker.port)
  await mk(['topic', 'create', 'orders', 'orders.dlq', 'payments'])
  await mk(['profile', 'create', 'prod', '-b', 'k1:1'], { home })
  await mk(['profile', 'create', 'here', '-b', at], { home })
  await mk(['produce', 'orders', 'x'])
  await read('billing')
})
afterAll(async () => {
  await broker[Symbol.asyncDispose]()
  rmSync(home, { recursive: true, force: true })
})

/** A group that has read what is there, and left. */
async function read(group: string): Promise<void> {
  await using client = broker.client()
  const consumer = client.consumer({ group, topics: ['orders'], start: 'earliest' })
  await consumer.poll({ maxWaitMs: 60_000 })
  await consumer.close()
}

/** Names are given up after 150 ms: of a clock that is a hundred times slower, so that a pause of this machine is none. */
function unhurried(): Env {
  const env = quietEnv()
  const clock = Object.create(env.clock, {
    monotonicMs: { value: () => env.clock.monotonicMs() / 100 },
    timer: { value: (ms: number, callback: () => void) => env.clock.timer(ms * 100, callback) },
  })
  return { ...env, clock }
}

/** The words for the line, the last of them unfinished. */
function wordsFor(...words: string[]): Promise<string[]> {
  return wordsIn(unhurried(), words)
}

async function wordsIn(env: Env, words: string[]): Promise<string[]> {
  const args = ['__complete', '--', ...words]
  const { code, stdout, stderr } = await run(args, { input: '', home, env }).ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout.split('\n').flatMap((line) => line.split('\t')[0] || [])
}

test('commands and what is below them', async () => {
  expect(await wordsFor('')).toEqual(expect.arrayContaining(['topic', 'consume', 'completion']))
  expect(await wordsFor('')).not.toContain('__complete')
  expect(await wordsFor('top')).toContain('topic')
  expect(await wordsFor('cluster', 'config', '')).toEqual(['get', 'set'])
  expect(await wordsFor('help', 'e')).toEqual(['exit-codes'])
  expect(await wordsFor('help', 'topic', 'cr')).toEqual(['create'])
})

test('options of the command and of all commands, and their values', async () => {
  expect(await wordsFor('consume', 'x', '--g')).toEqual(['--grep', '--group'])
  expect(await wordsFor('consume', '--prof')).toEqual(['--profile'])
  expect(await wordsFor('-O', 'js')).toEqual(['json', 'jsonl'])
  expect(await wordsFor('produce', 'x', '-z', 'g')).toEqual(['gzip'])
  expect(await wordsFor('produce', 'x', '--compression=z')).toEqual(['--compression=zstd'])
  expect(await wordsFor('produce', 'x', '--file', '')).toEqual([':files'])
  expect(await wordsFor('completion', '')).toEqual(['bash', 'zsh', 'fish'])
  expect(await wordsFor('topic', 'create', 'x', '-p', '')).toEqual([])
})

test('names of topics, groups, settings and profiles', async () => {
  expect(await wordsFor('-b', at, 'topic', 'describe', 'o')).toEqual(['orders', 'orders.dlq'])
  expect(await wordsFor('-b', at, 'consume', '-o', 'end', 'p')).toEqual(['payments'])
  expect(await wordsFor('-b', at, 'group', 'lag', '')).toEqual(['billing'])
  expect(await wordsFor('consume', 'x', '-b', at, '-g', 'b')).toEqual(['billing'])
  expect(await wordsFor('-b', at, 'cluster', 'config', 'set', 'num.p')).toEqual(['num.partitions='])
  expect(await wordsFor('-b', at, 'topic', 'alter', 'orders', '-c', 'retention.m')).toEqual([
    'retention.ms=',
  ])
  expect(await wordsFor('-b', at, 'group', 'seek', 'billing', '--topics', 'orders,pay')).toEqual([
    'orders,payments',
  ])
  expect(await wordsFor('-b', at, 'cluster', 'config', 'get', '--broker', '')).toEqual(['1'])
  expect(await wordsFor('profile', 'use', '')).toEqual(['prod', 'here'])
  expect(await wordsFor('--profile', 'here', 'topic', 'tail', 'pa')).toEqual(['payments'])
})

test('a name that would break the line is no word', async () => {
  await read('bi\u001b\nll')
  expect(await wordsFor('-b', at, 'group', 'lag', 'bi')).toEqual(['billing'])
})

test('without a broker: nothing, silently, and soon', async () => {
  const hurried = (...words: string[]) => wordsIn(quietEnv(), words)
  expect(await hurried('-b', '127.0.0.1:1', 'topic', 'describe', '')).toEqual([])
  expect(await hurried('--profile', 'nobody', 'topic', 'describe', '')).toEqual([])
  expect(await hurried('-b', '127.0.0.1:1', 'topic', 'describe', '--')).toContain('--output')
})

test('another shell is a usage error', async () => {
  expect(await run(['completion', 'tcsh']).ended).toMatchObject({
    code: 2,
    stderr: 'minikafka: completion tcsh: expected one of bash, zsh, fish\n',
  })
})

test.each(['bash', 'zsh', 'fish'])('the script for %s asks for the words', async (name) => {
  const { stdout } = await run(['completion', name]).ended
  expect(stdout).toMatch(/minikafka __complete -- /)
})

// --- real shells -----------------------------------------------------------------------------------

/** Answers as the program would, of these words. */
const ANSWERS = `#!/bin/sh
shift 2
case "$*" in
  'topic desc') printf 'describe\\tpartitions: all\\n' ;;
  'set num.p'|'set num.partitions=') printf 'num.partitions=\\tof a topic\\n' ;;
  'p x -z'*) printf '%s\\n' gzip zstd ;;
  'alter orders -c r') printf 'retention.ms=\\n' ;;
  'describe pa') printf 'payments\\t12 partitions\\n' ;;
  'p --file=z'*) printf '%s\\n' '--file=z:1' ;;
  'p --file '*) echo :files ;;
esac
`
const folder = join(home, 'bin')
const variables = { PATH: `${folder}:/usr/bin:/bin`, HOME: home, TERM: 'dumb' }

beforeAll(() => {
  mkdirSync(folder)
  writeFileSync(join(folder, 'minikafka'), ANSWERS)
  chmodSync(join(folder, 'minikafka'), 0o755)
  writeFileSync(join(home, 'a-file'), '')
})

function shell(program: string, ...args: string[]): string {
  const options = { encoding: 'utf8', env: variables, cwd: home, timeout: 30_000 } as const
  return execFileSync(program, args, options)
}

function isThere(program: string): boolean {
  return ['/bin', '/usr/bin'].some((place) => existsSync(join(place, program)))
}

async function scriptOf(name: string): Promise<string> {
  const file = join(home, `completion.${name}`)
  writeFileSync(file, (await run(['completion', name]).ended).stdout)
  return file
}

test('bash completes a line with the script', async () => {
  const file = await scriptOf('bash')
  // What bash would do with the answer: options of compopt, then words.
  const asking = `compopt() { echo -n "$2 "; }; . ${file}
    COMP_LINE=$1 COMP_POINT=\${#1} _minikafka; printf '%s|' "\${COMPREPLY[@]}"`
  const complete = (line: string) => shell('bash', '--norc', '-c', asking, 'bash', line)
  expect(complete('minikafka topic desc')).toBe('describe|')
  expect(complete('minikafka p x -z ')).toBe('gzip|zstd|')
  expect(complete('minikafka describe "pa')).toBe('payments|')
  expect(complete("minikafka alter 'orders' -c r")).toBe('nospace retention.ms=|')
  expect(complete('minikafka set num.p')).toBe('nospace num.partitions=|')
  // Bash replaces what comes after : or =.
  expect(complete('minikafka set num.partitions=')).toBe('nospace |')
  expect(complete('minikafka p --file=z:')).toBe('1|')
  expect(complete('minikafka p --file ')).toBe('default |')
})

test.skipIf(!isThere('zsh'))('zsh completes a line with the script', async () => {
  const file = await scriptOf('zsh')
  // A shell at a terminal; ^T completes and prints the line, between marks that no typed line has.
  const asking = `zmodload zsh/zpty
    zpty z zsh -f -i
    zpty -w z 'autoload -Uz compinit && compinit -u -D && . ${file}'
    zpty -w z 'show() { zle complete-word; print -r -- "<""<$BUFFER>"">"; zle kill-whole-line }'
    zpty -w z 'zle -N show; bindkey "^T" show'
    for line in "$@"; do
      zpty -w -n z "$line"$'\\x14'
      zpty -r -m z out '*<<*>>*'
      print -r -- "\${\${out##*<<}%%>>*}"
    done
    zpty -d z`
  const lines = [
    ...['minikafka topic desc', 'minikafka set num.p', 'minikafka describe "pa'],
    ...["minikafka alter 'orders' -c r", 'minikafka p --file a-f'],
  ]
  const answers = shell('zsh', '-f', '-c', asking, 'zsh', ...lines)
  expect(answers.split(/\r?\n/).slice(0, -1)).toEqual([
    ...['minikafka topic describe ', 'minikafka set num.partitions='],
    ...['minikafka describe "payments" ', "minikafka alter 'orders' -c retention.ms="],
    'minikafka p --file a-file ',
  ])
})

test.skipIf(!isThere('fish'))('fish completes a line with the script', async () => {
  const file = await scriptOf('fish')
  const complete = (line: string) =>
    shell('fish', '--no-config', '-c', `source ${file}; complete -C $argv[1]`, line)
  expect(complete('minikafka topic desc')).toBe('describe\tpartitions: all\n')
  expect(complete('minikafka p x -z ')).toBe('gzip\nzstd\n')
  expect(complete('minikafka describe "pa')).toBe('payments\t12 partitions\n')
  expect(complete('X=1 minikafka describe pa')).toBe('payments\t12 partitions\n')
  expect(complete('minikafka p --file a-f')).toBe('a-file\n')
})
