// What a command loads: starting is most of what it takes, and help and the Tab key wait for no client.
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

const BIN = new URL('../src/bin.ts', import.meta.url).pathname
const LISTING = new URL('loaded-modules.mjs', import.meta.url).pathname

/** The modules that a run loads: those of ours as paths from `packages`, the others as names. */
function loadedBy(...args: string[]): string[] {
  const flags = ['--import', 'tsx', '--conditions=@minikafka/source', '--import', LISTING]
  const { stderr } = spawnSync(process.execPath, [...flags, BIN, ...args], {
    ...{ encoding: 'utf8', input: '', timeout: 60_000 },
    env: { ...process.env, HOME: '/nowhere' },
  })
  return stderr.split('\n').flatMap((line) => {
    const [, path] = /^loaded file:.*\/(?:packages|node_modules)\/(.+?)(?:\?|$)/.exec(line) ?? []
    return path ?? []
  })
}

const LATE = /^client\/|^cli\/src\/session|^(cli-table3|cli-progress|yaml|picocolors)\//

test.each([
  [['--help']],
  [['--version']],
  [['topic', 'create', '--help']],
  [['help', 'offsets']],
  [['topik']],
  [['completion', 'bash']],
  [['__complete', '--', 'top']],
  [['__complete', '--', 'consume', 'x', '--g']],
])('%j loads no client, and no library that draws', (args) => {
  const loaded = loadedBy(...args)
  expect(loaded).toContainEqual(expect.stringMatching(/^cli\/src\/main\.ts/))
  expect(loaded.filter((path) => LATE.test(path))).toEqual([])
})

test('a command loads its own module, and those of no other command', () => {
  const loaded = loadedBy('cluster', 'info', '-b', '127.0.0.1:1', '--timeout', '1ms')
  const commands = loaded.filter((path) => path.startsWith('cli/src/commands/'))
  expect(commands).toEqual(['cli/src/commands/cluster.ts'])
  expect(loaded).toContainEqual(expect.stringMatching(/^client\//))
  expect(loaded.filter((path) => /^(yaml|cli-progress)\//.test(path))).toEqual([])
})
