// The log on the file system of this machine: what the simulated disk does not know.
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Env, nodeEnv } from '@minikafka/platform'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DataDirectory, type Log, StartError } from '../src/log/index.ts'
import { batchOf, Heard, SETTINGS, TOPIC_ID } from './log-bench.ts'

const env: Env = nodeEnv()
const MAKE_FIFO = 'mkfifo'
let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'minikafka-log-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

async function open(): Promise<DataDirectory> {
  const directory = await DataDirectory.open(env, {
    path: `${root}/data`,
    nodeId: 1,
    clusterIdIfNew: 'c',
    tailBytesMax: 1024 * 1024,
    filesOpenMax: 64,
    logger: env.logger,
  })
  await directory.markOpened(0)
  return directory
}

function options(partition = 0) {
  const listener = new Heard()
  return {
    topic: 'orders',
    topicId: TOPIC_ID,
    partition,
    settings: SETTINGS,
    listener,
    highWatermark: () => 0,
  }
}

async function append(log: Log, count: number): Promise<Buffer> {
  log.epochs.assign(1, 0)
  const batches = Array.from({ length: count }, () => {
    const batch = batchOf(env, { baseOffset: log.queuedEndOffset, valueSize: 5000 })
    log.enqueue(batch)
    return batch
  })
  await log.flush()
  return Buffer.concat(batches)
}

test('a log is written, read, closed and found again', async () => {
  const directory = await open()
  const log = await directory.createLog(options())
  const bytes = await append(log, 100)
  await directory.close({ clean: true, brokerEpoch: 3 })
  expect(readFileSync(`${root}/data/orders-0/00000000000000000000.log`).equals(bytes)).toBe(true)
  const again = await open()
  expect(again.previousBrokerEpoch).toBe(3)
  const { log: opened, recovered } = await again.openLog(options())
  expect(recovered).toMatchObject({ clean: true, logEndOffset: 100 })
  const slice = await opened.read(0, 100, 2 ** 21, true)
  expect(Buffer.concat(slice.buffers).equals(bytes)).toBe(true)
  await again.close({ clean: true, brokerEpoch: 4 })
})

test('a second opener is refused with the pid', async () => {
  const directory = await open()
  await expect(open()).rejects.toMatchObject({
    exitCode: 69,
    message: expect.stringContaining(`process ${process.pid}`),
  })
  await directory.close({ clean: true, brokerEpoch: 1 })
  await (await open()).close({ clean: true, brokerEpoch: 2 })
})

test('a link, a directory or a FIFO in place of one of our files refuses the start and names it', async () => {
  const places = [
    'meta.json',
    'recovery-point',
    'synced',
    'orders-0/partition.meta',
    'orders-0/sealed',
  ]
  const segment = 'orders-0/00000000000000000000.log'
  const epochs = 'orders-0/leader-epoch-checkpoint'
  for (const place of [...places, segment, epochs]) {
    for (const kind of ['link', 'directory', 'fifo'] as const) {
      rmSync(`${root}/data`, { recursive: true, force: true })
      const directory = await open()
      await append(await directory.createLog(options()), 3)
      // The mark of a clean stop has the epochs: their file is not looked at then.
      await directory.close({ clean: place !== epochs, brokerEpoch: 1 })
      const path = `${root}/data/${place}`
      // A log of one segment has no `sealed` yet; something else in its place is refused all the same.
      const content = existsSync(path) ? readFileSync(path) : ''
      rmSync(path, { force: true })
      if (kind === 'directory') mkdirSync(path)
      else if (kind === 'fifo') execFileSync(MAKE_FIFO, [path])
      else {
        writeFileSync(`${root}/elsewhere`, content)
        symlinkSync(`${root}/elsewhere`, path)
      }
      await expect(openAll(), `${kind} at ${place}`).rejects.toMatchObject({
        name: 'StartError',
        path,
      })
    }
  }
})

async function openAll(): Promise<void> {
  const directory = await open()
  try {
    await directory.openLog(options())
  } finally {
    await directory.close({ clean: false, brokerEpoch: 1 })
  }
}

test('a data directory that cannot be made is refused with its path', async () => {
  writeFileSync(`${root}/data`, 'a file')
  await expect(open()).rejects.toBeInstanceOf(StartError)
  await expect(open()).rejects.toMatchObject({
    exitCode: 74,
    message: expect.stringContaining(root),
  })
})
