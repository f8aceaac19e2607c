// Starts that cannot be: each ends with a sentence that says what to do, an exit code, and nothing changed.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { createClient } from '@minikafka/client'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { quietEnv, runBroker, start } from './running-broker.ts'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'minikafka-start-'))
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

test('a port in use is named, with what to do, and the data directory keeps its clean mark', async () => {
  await (await start(quietEnv(), directory, { port: '0' })).close()
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  const { port } = other.address() as { port: number }
  await expect(start(quietEnv(), directory, { port: String(port) })).rejects.toMatchObject({
    name: 'StartError',
    exitCode: 69,
    message: expect.stringMatching(/127\.0\.0\.1:\d+: something else listens there.*--port 0/),
  })
  other.close()
  const again = await start(quietEnv(), directory, { port: '0' })
  expect(again.wasClean).toBe(true)
  await again.close()
})

test("a second broker on the same directory is refused with the owner's pid", async () => {
  await using running = await runBroker()
  await expect(start(quietEnv(), running.directory, { port: '0' })).rejects.toMatchObject({
    exitCode: 69,
    message: expect.stringContaining(String(process.pid)),
  })
})

test('a data directory that cannot be made is named', async () => {
  writeFileSync(join(directory, 'file'), '')
  await expect(
    start(quietEnv(), join(directory, 'file', 'data'), { port: '0' }),
  ).rejects.toMatchObject({
    name: 'StartError',
    exitCode: 74,
    message: expect.stringContaining(join(directory, 'file', 'data')),
  })
})

test('a directory of another node is refused and left as it is', async () => {
  await (await start(quietEnv(), directory, { port: '0', 'node.id': '1' })).close()
  const before = readFileSync(join(directory, 'meta.json'), 'utf8')
  await expect(start(quietEnv(), directory, { port: '0', 'node.id': '2' })).rejects.toMatchObject({
    exitCode: 78,
  })
  expect(readFileSync(join(directory, 'meta.json'), 'utf8')).toBe(before)
})

test('a damaged meta.json is refused, and nothing is changed', async () => {
  await (await start(quietEnv(), directory, { port: '0' })).close()
  const file = join(directory, 'meta.json')
  const damaged = readFileSync(file, 'utf8').replace('clusterId', 'clusterIx')
  writeFileSync(file, damaged)
  await expect(start(quietEnv(), directory, { port: '0' })).rejects.toMatchObject({
    name: 'StartError',
    message: expect.stringContaining('meta.json'),
  })
  expect(readFileSync(file, 'utf8')).toBe(damaged)
})

// --- the program itself ------------------------------------------------------------------------

const program = join(import.meta.dirname, '..', 'src', 'bin.ts')
const node = ['--import', 'tsx', '--conditions=@minikafka/source', program]

function run(args: readonly string[], env: Record<string, string> = {}) {
  return new Promise<{ code: number | string; out: string; err: string }>((resolve) => {
    const child = execFile(
      process.execPath,
      [...node, ...args],
      { env: { ...process.env, ...env } },
      (error, out, err) => {
        const code = error === null ? 0 : (error.code ?? error.signal ?? 'nobody knows what')
        resolve({ code, out, err })
      },
    )
    onTestFinished(() => void child.kill('SIGKILL'))
  })
}

type Ready = { readonly port: number; readonly httpPort: number; readonly clean: boolean }

function readyLine({ stdout }: { readonly stdout: Readable }): Promise<Ready> {
  return new Promise((resolve) => {
    let text = ''
    stdout.on('data', (chunk) => {
      text += chunk
      const line = text.split('\n').find((one) => one.includes('"msg":"ready"'))
      if (line) resolve(JSON.parse(line))
    })
  })
}

test('usage errors end with 2 and name the nearest', async () => {
  expect(await run(['--prot', '9093'])).toMatchObject({
    code: 2,
    err: "minikafka-broker: unknown option '--prot'; did you mean --port?\n",
  })
  expect(await run(['serve'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('there are dump-log, verify'),
  })
  expect(await run(['--port', 'abc'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('expected an integer'),
  })
  expect(await run(['--host', '0.0.0.0'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('allow.insecure=true'),
  })
  writeFileSync(join(directory, 'c.yaml'), 'log:\n  segmnt.bytes: 1\n')
  expect(await run(['--config', join(directory, 'c.yaml')])).toMatchObject({
    code: 2,
    err: expect.stringContaining('did you mean log.segment.bytes?'),
  })
})

test('print-config shows where each value comes from', async () => {
  writeFileSync(join(directory, 'c.yaml'), 'num.partitions: 3\nlog:\n  retention.ms: 1d\n')
  const { code, out } = await run(
    ['print-config', '--show-origin', '--config', join(directory, 'c.yaml'), '--flush', 'os'],
    {
      MINIKAFKA_RACK: 'b',
    },
  )
  expect(code).toBe(0)
  expect(out).toMatch(/num\.partitions: +3 +# file/)
  expect(out).toMatch(/log\.retention\.ms: +1d +# file/)
  expect(out).toMatch(/flush: +os +# flag/)
  expect(out).toMatch(/rack: +b +# environment/)
  expect(out).toMatch(/\nport: +9092 +# default/)
})

test('while it stops it is alive and not ready, until its connections have ended', async () => {
  const args = [...node, '--data-dir', directory, '--port', '0', '--http-port', '0']
  const child = spawn(process.execPath, [...args, '--log-format', 'json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const exited = new Promise((resolve) => child.once('exit', resolve))
  const { port, httpPort } = await readyLine(child)
  const ask = async (path: string) =>
    (await fetch(`http://127.0.0.1:${httpPort}/${path}`)).text().catch(String)
  expect(await ask('readyz')).toBe('ready\n')
  // It never ends its side, so the broker waits for it.
  const stubborn = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  await once(stubborn, 'connect')
  child.kill('SIGTERM')
  await once(stubborn.resume(), 'end')
  expect(await ask('readyz')).toBe('not ready: the broker stops\n')
  expect(await ask('healthz')).toBe('ok\n')
  stubborn.end()
  expect(await exited).toBe(0)
})

test('a reader that goes away ends what is printed, without a word on what was not', async () => {
  const broker = await start(quietEnv(), directory, { port: '0' })
  const client = createClient(quietEnv(), { brokers: `127.0.0.1:${broker.address.port}` })
  await client.admin().createTopic('hello')
  await client.producer().send('hello', { value: 'first' })
  await client.close()
  await broker.close()
  const segment = join(directory, 'hello-0', `${'0'.repeat(20)}.log`)
  for (const args of [['print-config'], ['verify', directory], ['dump-log', segment]]) {
    const child = spawn(process.execPath, [...node, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    // Nobody reads from the beginning.
    child.stdout.destroy()
    const words: string[] = []
    child.stderr.on('data', (chunk) => words.push(String(chunk)))
    const code = await new Promise((resolve) => child.once('close', resolve))
    expect({ args, code, words }).toEqual({ args, code: 0, words: [] })
  }
})

test('it says ready with its true port, stops in order on SIGTERM, and the next start is clean', async () => {
  const args = [...node, '--data-dir', directory, '--port', '0', '--log-format', 'json']
  for (const clean of [false, true]) {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    const exited = new Promise((resolve) =>
      child.once('exit', (code, signal) => resolve(code ?? signal)),
    )
    const ready = await readyLine(child)
    expect(ready.port).toBeGreaterThan(0)
    expect(ready.clean).toBe(clean)
    child.kill('SIGTERM')
    expect(await exited).toBe(0)
    expect(existsSync(join(directory, 'clean-shutdown.json'))).toBe(true)
  }
})
