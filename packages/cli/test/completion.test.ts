// minikafka completion, and what shells ask it: names of the cluster where a broker answers, else words that are known.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningBroker, runBroker } from '../../broker/test/running-broker.ts'
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
  await using client = broker.client()
  const consumer = client.consumer({ group: 'billing', topics: ['orders'], start: 'earliest' })
  await consumer.poll({ maxWaitMs: 3_000 })
  await consumer.close()
})
afterAll(async () => {
  await broker[Symbol.asyncDispose]()
  rmSync(home, { recursive: true, force: true })
})

/** The words for the line, the last of them unfinished. */
async function wordsFor(...words: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await run(['__complete', '--', ...words], { input: '', home })
    .ended
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

test('without a broker: nothing, silently, and soon', async () => {
  expect(await wordsFor('-b', '127.0.0.1:1', 'topic', 'describe', '')).toEqual([])
  expect(await wordsFor('--profile', 'nobody', 'topic', 'describe', '')).toEqual([])
  expect(await wordsFor('-b', '127.0.0.1:1', 'topic', 'describe', '--')).toContain('--output')
})

test('another shell is a usage error', async () => {
  expect(await run(['completion', 'tcsh']).ended).toMatchObject({
    code: 2,
    stderr: 'minikafka: completion tcsh: expected one of bash, zsh, fish\n',
  })
})

test.each(['bash', 'zsh', 'fish'])('the script for %s asks for the words', async (shell) => {
  const { stdout } = await run(['completion', shell]).ended
  expect(stdout).toMatch(/minikafka __complete -- /)
})

test('the script for bash completes a line', async () => {
  const folder = join(home, 'bin')
  mkdirSync(folder)
  // Answers with what it was asked.
  writeFileSync(
    join(folder, 'minikafka'),
    '#!/bin/sh\nshift 2\nprintf \'%s\\tabout\\n\' "$*" cut=me\n',
  )
  chmodSync(join(folder, 'minikafka'), 0o755)
  const { stdout: script } = await run(['completion', 'bash']).ended
  const complete = (line: string) =>
    execFileSync(
      'bash',
      [
        '--norc',
        '-c',
        `compopt() { :; }; ${script}\nCOMP_LINE=$1 COMP_POINT=\${#1} _minikafka; printf '%s|' "\${COMPREPLY[@]}"`,
        'bash',
        line,
      ],
      { encoding: 'utf8', env: { PATH: `${folder}:/usr/bin:/bin` } },
    )
  expect(complete('minikafka topic desc')).toBe('topic desc|cut=me|')
  expect(complete('minikafka topic ')).toBe('topic |cut=me|')
  expect(complete('minikafka cut=')).toBe('|me|')
})
