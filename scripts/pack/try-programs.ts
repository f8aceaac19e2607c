// Both programs, installed: a broker starts, a record goes in by the command line and comes out by the SDK, all stops in
// order. Enters: the stranger's folder, a Node. Leaves: a line, or an error.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { undoAtExit } from '../at-exit.ts'
import type { NodeProgram } from './stranger.ts'

const CONSUMING = `
import { Client } from '@minikafka/client'
const client = new Client({ brokers: process.argv[2] })
const consumer = client.consumer({ topics: ['hello'], start: 'earliest' })
for await (const { value } of consumer) {
  console.log(Buffer.from(value).toString())
  break
}
await client.close()
`
/** Of each, the least is told: on a shared machine the rest is other people's time. */
const ROUNDS = 5

export async function tryPrograms(folder: string, node: NodeProgram, data: string): Promise<void> {
  const bin = (name: string) => join(folder, 'node_modules', '.bin', name)
  const broker = spawn(
    node.path,
    [bin('minikafka-broker'), '--port', '0', '--data-dir', data, '--log-format', 'json'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const done = undoAtExit(() => broker.kill('SIGKILL'))
  const exited = once(broker, 'exit')
  const port = await readyPort(broker.stdout)
  const brokers = `127.0.0.1:${port}`
  const minikafka = (...args: string[]) => run(folder, node, bin('minikafka'), ['-q', ...args])
  minikafka('topic', 'create', 'hello', '-b', brokers)
  minikafka('produce', 'hello', 'first', '-b', brokers)
  writeFileSync(join(folder, 'consume.mjs'), CONSUMING)
  expect(run(folder, node, 'consume.mjs', [brokers]).trim(), 'first')
  expect(minikafka('consume', 'hello', '-e', '-b', brokers).trim(), 'first')
  const help = leastMs(() => run(folder, node, bin('minikafka'), ['--help']))
  const info = leastMs(() => minikafka('cluster', 'info', '-b', brokers))
  broker.kill('SIGTERM')
  expect(String((await exited)[0]), '0')
  done()
  console.log(
    `Node ${node.version}: broker, command line and SDK work; minikafka --help ${help} ms, cluster info ${info} ms (at best of ${ROUNDS})`,
  )
}

async function readyPort(stdout: NodeJS.ReadableStream): Promise<number> {
  for await (const line of createInterface({ input: stdout })) {
    const { msg, port } = JSON.parse(line) as { msg?: string; port?: number }
    if (msg === 'ready' && port !== undefined) {
      stdout.resume()
      return port
    }
  }
  throw new Error('the broker ended before it was ready')
}

function run(cwd: string, node: NodeProgram, program: string, args: readonly string[]): string {
  return execFileSync(node.path, [program, ...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 60_000,
  })
}

function expect(found: string, wanted: string): void {
  if (found !== wanted) throw new Error(`expected ${wanted}, found ${found}`)
}

function leastMs(job: () => unknown): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const began = performance.now()
    job()
    return performance.now() - began
  })
  return Math.round(Math.min(...times))
}
