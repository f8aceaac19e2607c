// What only a real process shows: pipes that nobody reads, and signals.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type RunningBroker, runBroker } from '../../broker/test/running-broker.ts'
import { commandLineOf } from './program.ts'

let broker: RunningBroker

beforeAll(async () => {
  broker = await runBroker()
  const { mk } = commandLineOf(broker.port)
  await mk(['topic', 'create', 'many'])
  const input = Array.from({ length: 100_000 }, (_, n) => `line ${n}`).join('\n')
  await mk(['produce', 'many'], { input })
})
afterAll(() => broker[Symbol.asyncDispose]())

const BIN = new URL('../src/bin.ts', import.meta.url).pathname

function start(...args: string[]): ChildProcess {
  const flags = ['--import', 'tsx', '--conditions=@minikafka/source', BIN]
  const child = spawn(process.execPath, [...flags, '-b', `127.0.0.1:${broker.port}`, ...args])
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** Closes stdout after its first bytes, as `head -1` does. */
async function headOf(child: ChildProcess) {
  let stderr = ''
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  const [first] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
  child.stdout?.destroy()
  const [code, signal] = await once(child, 'close')
  return { line: first.toString().split('\n')[0], code, signal, stderr }
}

test('a reader that has enough ends consume quietly, with 0', async () => {
  for (const options of [[], ['-e'], ['-J']]) {
    const { line, ...ending } = await headOf(start('consume', 'many', ...options))
    expect(line).toContain('line 0')
    expect(ending).toEqual({ code: 0, signal: null, stderr: '' })
  }
})

test('a reader that has enough of the help does no harm', async () => {
  expect(await headOf(start('--help'))).toEqual({
    line: 'Usage: minikafka [options] [command]',
    code: 0,
    signal: null,
    stderr: '',
  })
})

test('a reader that has enough of --tee ends produce with 0, after what was sent', async () => {
  const child = start('produce', 'many', '--tee')
  child.stdin?.on('error', () => {})
  child.stdin?.write('teed\n'.repeat(50_000))
  expect(await headOf(child)).toEqual({ line: 'teed', code: 0, signal: null, stderr: '' })
})

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('a second %s ends at once, with %i', async (name, code) => {
  await using other = await runBroker()
  await commandLineOf(other.port).mk(['topic', 'create', 'away'])
  const child = start('produce', 'away', '-b', `127.0.0.1:${other.port}`, '-v')
  const says = linesOf(child.stderr)
  child.stdin?.write('a\n')
  await once(child.stdout as NodeJS.ReadableStream, 'data')
  await other.broker.close()
  child.stdin?.write('this record is in hand as long as its broker is away\n')
  expect(await says()).toMatch(/^the connection to .* was lost, trying again$/)
  child.kill(name)
  expect(await says()).toBe('finishing what is in hand; once more ends at once')
  child.kill(name)
  expect(await once(child, 'close')).toEqual([code, null])
})

/** The next line, each time it is called. */
function linesOf(stream: ChildProcess['stderr']): () => Promise<string> {
  const lines = createInterface({ input: stream as NodeJS.ReadableStream })[Symbol.asyncIterator]()
  return async () => (await lines.next()).value
}
