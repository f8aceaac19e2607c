import type { Env } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { batchOf, CLUSTER_ID, LogBench, ROOT, TOPIC_ID } from '../../test/log-bench.ts'
import { counted } from '../../test/watched-disk.ts'
import { jsonWithChecksum } from './checked-text.ts'
import { DataDirectory } from './data-directory.ts'

const OTHER_TOPIC_ID = '7d1f7f39-0c07-4a5c-8a3e-1b7a5f0c9e22'

function open(bench: LogBench, options: { nodeId?: number } = {}): Promise<DataDirectory> {
  bench.env = bench.world.env('a')
  return bench.run(
    DataDirectory.open(bench.env, {
      path: ROOT,
      nodeId: options.nodeId ?? 1,
      clusterIdIfNew: 'another',
      tailBytesMax: 1000,
      filesOpenMax: 10,
      logger: bench.env.logger,
    }),
  )
}

async function rootNames(bench: LogBench): Promise<string[]> {
  const names = await bench.run(bench.world.env('a').disk.list(ROOT))
  return names.filter((name) => name !== '.lock')
}

test('a new directory gets an identity that later starts find again', async () => {
  const bench = await LogBench.make()
  expect(bench.directory.isNew).toBe(true)
  const { meta } = bench.directory
  expect(meta).toMatchObject({ clusterId: CLUSTER_ID, brokerId: 1, formatVersion: 1 })
  await bench.stop('clean')
  const again = await open(bench)
  expect(again.meta).toEqual(meta)
  expect(again.isNew).toBe(false)
  expect(again.found()).toMatchObject([
    { topic: 'orders', topicId: TOPIC_ID, partition: 0, directoryName: 'orders-0' },
  ])
})

test('a second opener is refused with the pid of the first', async () => {
  const bench = await LogBench.make()
  const pid = bench.world.pid('a')
  const second = bench.world.start('a')
  const opening = DataDirectory.open(second, {
    path: ROOT,
    nodeId: 1,
    clusterIdIfNew: 'x',
    tailBytesMax: 1,
    filesOpenMax: 10,
    logger: second.logger,
  })
  await expect(bench.run(opening)).rejects.toMatchObject({
    exitCode: 69,
    message: `${ROOT}: is in use by process ${pid}. One broker per data directory.`,
  })
  await bench.append(1)
})

test('another node, another format version, a damaged or missing meta.json: refused, nothing changed, the lock is free', async () => {
  const cases: [string, number, RegExp, (content: Buffer) => Uint8Array | undefined, number][] = [
    ['node', 78, /belongs to node 1, this is node 2/, (content) => content, 2],
    ['version', 78, /format version 2; this program knows version 1/, version2, 1],
    ['damage', 74, /meta.json: is damaged/, (content) => content.subarray(1), 1],
    ['field', 74, /lacks a field/, () => jsonWithChecksum({ formatVersion: 1 }), 1],
    ['missing', 74, /meta.json: is missing, but there are partitions/, () => undefined, 1],
  ]
  for (const [what, exitCode, message, change, nodeId] of cases) {
    const bench = await LogBench.make()
    await bench.append(3)
    await bench.stop('kill')
    await bench.edit(`${ROOT}/meta.json`, change)
    const before = await rootNames(bench)
    await expect(open(bench, { nodeId }), what).rejects.toMatchObject({
      exitCode,
      message: expect.stringMatching(message),
    })
    expect(await rootNames(bench)).toEqual(before)
    expect('lock' in (await bench.run(bench.env.disk.lock(ROOT)))).toBe(true)
  }
})

test('a mark of a clean stop that is damaged or of another directory counts as none', async () => {
  for (const change of [
    (content: Buffer) => content.subarray(2),
    () => jsonWithChecksum({ dirId: 'another', brokerEpoch: 7, logs: {} }),
  ]) {
    const bench = await LogBench.make()
    await bench.append(3)
    await bench.stop('clean')
    await bench.edit(`${ROOT}/clean-shutdown.json`, change)
    expect(await bench.start()).toMatchObject({ clean: false, logEndOffset: 3 })
    expect(bench.directory.previousBrokerEpoch).toBeUndefined()
  }
})

test('a start that ended before a log was opened leaves the clean mark as it was', async () => {
  const bench = await LogBench.make()
  await bench.append(3)
  await bench.stop('clean')
  const directory = await open(bench)
  await bench.run(directory.close({ clean: true, brokerEpoch: 99 }))
  expect(await bench.start()).toMatchObject({ clean: true, logEndOffset: 3 })
  expect(bench.directory.previousBrokerEpoch).toBe(7)
})

test('a mark that came back with a power cut, from before the last start, is not believed', async () => {
  const bench = await LogBench.make()
  await bench.append(3)
  await bench.stop('clean')
  const directory = await open(bench)
  // A broker that was at work since the mark was left took the metadata further.
  await bench.run(directory.markOpened(1))
  expect(directory.previousBrokerEpoch).toBeUndefined()
})

test('a log that was not closed in order is scanned after an otherwise clean stop', async () => {
  const bench = await LogBench.make()
  await bench.append(3)
  await bench.stop('clean')
  const directory = await bench.startDirectory()
  await bench.run(directory.close({ clean: true, brokerEpoch: 8 }))
  expect(await bench.start()).toMatchObject({ clean: false, logEndOffset: 3 })
  expect(bench.directory.previousBrokerEpoch).toBe(8)
})

test('a deleted partition is out of service at once, and gone after the delay', async () => {
  const bench = await LogBench.make()
  await bench.append(3)
  const { log } = bench
  await bench.run(bench.directory.delete(log, 60_000))
  expect(await rootNames(bench)).toContain(`${TOPIC_ID}-0.delete`)
  expect(await rootNames(bench)).not.toContain('orders-0')
  expect(bench.directory.found()).toEqual([])
  log.enqueue(Buffer.alloc(0)) // Ignored: the log is dead.
  await bench.world.clock.advance('61s')
  expect(await rootNames(bench)).not.toContain(`${TOPIC_ID}-0.delete`)
})

test('a deletion that a stop interrupted is finished at the next start', async () => {
  for (const how of ['clean', 'kill', 'powerCut'] as const) {
    const bench = await LogBench.make()
    await bench.append(3)
    await bench.run(bench.directory.delete(bench.log, 60_000))
    await bench.stop(how)
    await bench.startDirectory()
    await bench.world.clock.advance('1s')
    expect((await rootNames(bench)).filter((name) => name.includes(TOPIC_ID))).toEqual([])
    expect(bench.directory.found()).toEqual([])
  }
})

test('a deletion that resolved outlives a power cut', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const bench = await LogBench.make({ seed })
    await bench.append(1)
    await bench.run(bench.directory.delete(bench.log, 60_000))
    await bench.stop('powerCut')
    expect(await rootNames(bench)).not.toContain('orders-0')
    bench.world.close()
  }
})

test('a topic that is made anew under an old name begins empty, whatever kind of stop follows', async () => {
  for (const how of ['clean', 'kill', 'powerCut'] as const) {
    const bench = await LogBench.make()
    await bench.append(3)
    await bench.world.clock.advance('6s')
    await bench.run(bench.directory.delete(bench.log, 60_000))
    const options = { ...bench.openOptions(), topicId: OTHER_TOPIC_ID }
    const log = await bench.run(bench.directory.createLog(options))
    expect(log.logEndOffset).toBe(0)
    await bench.stop(how)
    const directory = await bench.startDirectory()
    expect(directory.found()).toMatchObject([{ topicId: OTHER_TOPIC_ID }])
    const { recovered } = await bench.run(directory.openLog(options))
    expect(recovered).toMatchObject({ logEndOffset: 0, lost: false })
  }
})

test('a descriptor that is being opened while its topic is deleted does not outlive it', async () => {
  let open: () => void = () => undefined
  let delays = false
  const disk = (real: Env['disk']): Env['disk'] => ({
    ...counted(real, {}),
    open: async (path, mode) => {
      const file = await real.open(path, mode)
      if (delays) {
        delays = false
        await new Promise<void>((resolve) => {
          open = resolve
        })
      }
      return file
    },
  })
  const bench = await LogBench.make({ disk, tailBytesMax: 0 })
  await bench.append(3)
  await bench.restart('clean')
  delays = true
  const reading = Promise.resolve(bench.log.read(0, 3, 1000, true)).catch((error) => error.name)
  await bench.world.until(() => !delays)
  const deleting = bench.directory.delete(bench.log, 60_000)
  await bench.world.settled()
  open()
  await bench.run(deleting)
  await bench.run(reading)
  const options = { ...bench.openOptions(), topicId: OTHER_TOPIC_ID }
  const log = await bench.run(bench.directory.createLog(options))
  log.epochs.assign(1, 0)
  const batch = batchOf(bench.env)
  log.enqueue(batch)
  await bench.run(log.flush())
  await bench.stop('powerCut')
  const directory = await bench.startDirectory()
  const { recovered } = await bench.run(directory.openLog(options))
  expect(recovered).toMatchObject({ logEndOffset: 1, lost: false })
})

test('a directory that the metadata does not know is kept as stray', async () => {
  const bench = await LogBench.make()
  await bench.append(3)
  await bench.stop('kill')
  const directory = await bench.startDirectory()
  const [found] = directory.found()
  await bench.run(directory.markStray(found as NonNullable<typeof found>))
  expect(await rootNames(bench)).toContain(`${TOPIC_ID}-0.stray`)
  await bench.run(directory.close({ clean: true, brokerEpoch: 1 }))
  const again = await bench.startDirectory()
  await bench.world.clock.advance('2h')
  expect(again.found()).toEqual([])
  expect(await rootNames(bench)).toContain(`${TOPIC_ID}-0.stray`)
})

test('a partition whose directory vanished is not made anew: records were synced there', async () => {
  const bench = await LogBench.make()
  await bench.append(3)
  await bench.stop('clean')
  await bench.run(bench.world.env('a').disk.removeDirectory(bench.path))
  const directory = await bench.startDirectory()
  await expect(bench.run(directory.createLog(bench.openOptions()))).rejects.toMatchObject({
    name: 'KAFKA_STORAGE_ERROR',
    message: expect.stringContaining('everything below offset 3 had been synced'),
  })
})

test('a directory that a crash left half made is taken over; one with segments of nobody is not', async () => {
  const bench = await LogBench.make()
  await bench.run(bench.env.disk.makeDirectory(`${ROOT}/orders-1`))
  await bench.run(bench.directory.createLog(bench.openOptions(1)))
  await bench.run(bench.env.disk.makeDirectory(`${ROOT}/orders-2`))
  const path = `${ROOT}/orders-2/00000000000000000000.log`
  await bench.run(bench.env.disk.replaceFile(path, Buffer.from('data')))
  await expect(bench.run(bench.directory.createLog(bench.openOptions(2)))).rejects.toMatchObject({
    message: expect.stringContaining('holds 00000000000000000000.log already'),
  })
})

test('a damaged partition.meta keeps the partition offline and its files as they are', async () => {
  const bench = await LogBench.make()
  await bench.append(3)
  await bench.stop('clean')
  await bench.edit(`${bench.path}/partition.meta`, (content) => content.subarray(3))
  const before = await bench.run(bench.world.env('a').disk.list(bench.path))
  const directory = await bench.startDirectory()
  expect(directory.found()).toEqual([])
  await expect(bench.run(directory.createLog(bench.openOptions()))).rejects.toMatchObject({
    name: 'KAFKA_STORAGE_ERROR',
  })
  expect(await bench.run(bench.env.disk.list(bench.path))).toEqual(before)
})

test('names that are not ours are left alone', async () => {
  const bench = await LogBench.make()
  const { disk } = bench.env
  await bench.append(3)
  for (const name of ['lost+found', 'backup-2024', 'orders-0/notes']) {
    await bench.run(disk.makeDirectory(`${ROOT}/${name}`))
  }
  await bench.run(disk.replaceFile(`${bench.path}/README`, Buffer.from('mine')))
  for (const how of ['clean', 'kill'] as const) {
    expect(await bench.restart(how)).toMatchObject({ logEndOffset: 3 })
    expect(await rootNames(bench)).toEqual(expect.arrayContaining(['lost+found', 'backup-2024']))
    const names = await bench.run(bench.env.disk.list(bench.path))
    expect(names).toEqual(expect.arrayContaining(['README', 'notes']))
  }
})

test('what a crash left of a replacement is removed', async () => {
  const bench = await LogBench.make()
  await bench.append(3)
  await bench.stop('kill')
  const rests = ['sealed.tmp', 'partition.meta.tmp', '00000000000000000000.log.deleted']
  for (const rest of rests) {
    await bench.run(
      bench.world.env('a').disk.replaceFile(`${bench.path}/${rest}`, Buffer.from('x')),
    )
  }
  await bench.start()
  const names = await bench.run(bench.env.disk.list(bench.path))
  expect(names.filter((name) => rests.includes(name))).toEqual([])
})

test('a log is opened only after the mark of the clean stop is gone', async () => {
  const bench = await LogBench.make()
  await bench.stop('clean')
  const directory = await open(bench)
  await expect(bench.run(directory.openLog(bench.openOptions()))).rejects.toThrow(
    'mark of a clean stop',
  )
})

test('checkpoints are written within 5 s of a change, and an idle directory has no timer', async () => {
  const bench = await LogBench.make()
  await bench.append(3)
  await bench.world.clock.advance('6s')
  expect(bench.world.clock.pending()).toEqual([])
  for (const name of ['recovery-point', 'hw-checkpoint']) {
    const text = await bench.run(bench.env.disk.readFile(`${ROOT}/${name}`))
    expect(text?.toString()).toContain(`${TOPIC_ID} 0 3\n`)
  }
})

test('a full disk delays checkpoints, and they are written when there is room again', async () => {
  const bench = await LogBench.make()
  await bench.append(3)
  bench.world.disk('a').fill(0)
  await bench.world.clock.advance('10s')
  bench.world.disk('a').heal()
  await bench.world.clock.advance('6s')
  const text = await bench.run(bench.env.disk.readFile(`${ROOT}/recovery-point`))
  expect(text?.toString()).toContain(`${TOPIC_ID} 0 3\n`)
})

function version2(content: Buffer): Uint8Array {
  const lines = content.toString().split('\n').slice(0, -2).join('\n')
  return jsonWithChecksum({ ...JSON.parse(lines), formatVersion: 2 })
}
