// SIGHUP, sent to the real program: what of its file may change at once does, the rest is named, and a file that cannot
// be used changes nothing.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Client, createClient } from '@minikafka/client'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { quietEnv } from './running-broker.ts'

const PROGRAM = join(import.meta.dirname, '..', 'src', 'bin.ts')

type Line = { readonly msg: string; readonly [field: string]: unknown }

let directory: string
let file: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'minikafka-reload-'))
  file = join(directory, 'broker.yaml')
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

test('SIGHUP applies what of the file may change at once, and names what waits for a restart', async () => {
  writeFileSync(file, 'num.partitions: 1\nmemory.max.bytes: 256MiB\n')
  const broker = await startProgram(['--config', file])
  expect(await partitionsOf(broker.client, 'before')).toBe(1)

  writeFileSync(file, 'num.partitions: 3\nmemory.max.bytes: 128MiB\nlog: { level: debug }\n')
  broker.hangUp()
  expect(await broker.said('settings changed')).toMatchObject({
    changed: ['log.level', 'num.partitions'],
  })
  expect(await broker.said('these settings take a restart')).toMatchObject({
    settings: ['memory.max.bytes'],
  })
  expect(await broker.said('read the configuration again')).toMatchObject({ file })
  expect(await partitionsOf(broker.client, 'after')).toBe(3)

  // What is gone from the file is the default again, and what still waits is named again.
  writeFileSync(file, 'memory.max.bytes: 128MiB\n')
  broker.hangUp()
  expect(await broker.said('settings changed')).toMatchObject({
    changed: ['log.level', 'num.partitions'],
  })
  await broker.said('these settings take a restart')
  await broker.said('read the configuration again')
  expect(await partitionsOf(broker.client, 'at last')).toBe(1)
  expect(await broker.stop()).toBe(0)
})

test('SIGHUP with a file that cannot be used says why and changes nothing', async () => {
  writeFileSync(file, 'num.partitions: 2\n')
  const broker = await startProgram(['--config', file])
  const wrong = [
    ['num.partitons: 5\n', /unknown key "num.partitons": did you mean num.partitions\?/],
    ['num.partitions: 5\nlog.level: loud\n', /log.level \(file\): .*not "loud"/],
    ['num.partitions: 5\nadvertised: nowhere\n', /advertised: expected name=host:port/],
    ['num.partitions: 5\nhost: 0.0.0.0\n', /allow.insecure=true/],
    ['num.partitions: 5\n  rack: b\n', /broker.yaml: Nested mappings are not allowed .* at line 1/],
    [undefined, /there is no such file/],
  ] as const
  for (const [content, reason] of wrong) {
    if (content === undefined) rmSync(file)
    else writeFileSync(file, content)
    broker.hangUp()
    expect(await broker.said('SIGHUP: nothing was changed')).toMatchObject({
      file,
      reason: expect.stringMatching(reason),
    })
  }
  expect(await partitionsOf(broker.client, 'still')).toBe(2)

  writeFileSync(file, 'num.partitions: 5\n')
  broker.hangUp()
  await broker.said('read the configuration again')
  expect(await partitionsOf(broker.client, 'mended')).toBe(5)
})

test('SIGHUP without a file is answered in the log, and the broker goes on', async () => {
  const broker = await startProgram(['--num-partitions', '4'])
  broker.hangUp()
  await broker.said(
    'SIGHUP: there is no file to read again, the broker was started without --config',
  )
  expect(await partitionsOf(broker.client, 'still')).toBe(4)
})

/** Ready when resolved; ends with the test. */
async function startProgram(flags: readonly string[]) {
  const place = ['--data-dir', join(directory, 'data'), '--port', '0', '--http-port', 'off']
  const args = ['--import', 'tsx', '--conditions=@minikafka/source', PROGRAM, ...place, ...flags]
  const child = spawn(process.execPath, [...args, '--log-format', 'json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const exited = new Promise((resolve) => child.once('exit', (code) => resolve(code)))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  /** The next line with this message; those before it are gone. */
  const said = async (msg: string): Promise<Line> => {
    for (;;) {
      const { value, done } = await lines.next()
      if (done) throw new Error(`the broker ended before it said ${msg}`)
      const line = JSON.parse(value) as Line
      if (line.msg === msg) return line
    }
  }
  const { port } = await said('ready')
  const client = createClient(quietEnv(), { brokers: `127.0.0.1:${port}`, logger: false })
  onTestFinished(() => client.close())
  return {
    client,
    said,
    hangUp: () => child.kill('SIGHUP'),
    stop: () => {
      child.kill('SIGTERM')
      return exited
    },
  }
}

/** Of a topic that is made without a number of them. */
async function partitionsOf(client: Client, topic: string): Promise<number> {
  const admin = client.admin()
  await admin.createTopic(topic.replaceAll(' ', '-'))
  const { partitions } = await admin.describeTopic(topic.replaceAll(' ', '-'))
  return partitions.length
}
