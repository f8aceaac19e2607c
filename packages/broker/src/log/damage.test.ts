import { crc32c, DiskError } from '@minikafka/platform'
import { isMinikafkaError } from '@minikafka/protocol'
import { expect, test } from 'vitest'
import { batchOf, LogBench } from '../../test/log-bench.ts'
import { counted } from '../../test/watched-disk.ts'
import { BatchChain } from './batch-chain.ts'
import { checkedJson, withChecksum } from './checked-text.ts'
import { inspectSegment } from './segment-inspection.ts'

const FIRST = '00000000000000000000.log'

/** Ten batches of one record, stopped in order; then bytes of the file are changed. */
async function damaged(change: (content: Buffer, batchSize: number) => void) {
  const bench = await LogBench.make({ tailBytesMax: 0 })
  const batches = await bench.append(10)
  await bench.stop('clean')
  await edit(bench, (content) => change(content, batches[0]?.length ?? 0))
  await bench.start()
  return { bench, batches, size: batches[0]?.length ?? 0 }
}

function edit(bench: LogBench, change: (content: Buffer) => void): Promise<void> {
  return bench.edit(`${bench.path}/${FIRST}`, (content) => {
    const changed = Buffer.from(content)
    change(changed)
    return changed
  })
}

/** What comes for each offset: the bytes, or where the range that holds it begins and ends. */
async function readEach(bench: LogBench): Promise<(Buffer | string)[]> {
  const answers: (Buffer | string)[] = []
  for (let offset = 0; offset < bench.log.logEndOffset; offset++) {
    try {
      const slice = await bench.run(Promise.resolve(bench.log.read(offset, 10, 1, true)))
      answers.push(Buffer.concat(slice.buffers))
    } catch (error) {
      if (!isMinikafkaError(error) || error.name !== 'KAFKA_STORAGE_ERROR') throw error
      answers.push(`${error.details?.fromOffset}-${error.details?.nextOffset}`)
    }
  }
  return answers
}

test('what is found damaged stays unserved over a clean stop, until the file is restored', async () => {
  const { bench, batches, size } = await damaged((content, size) =>
    content.fill(0, 3 * size, 4 * size),
  )
  const expected = batches.map((batch, offset) => (offset === 3 ? '3-4' : batch))
  expect(await readEach(bench)).toEqual(expected)
  const whole = Buffer.concat(batches)
  // Somebody writes a good header into the hole: the CRC of the batch is still wrong, and only the note knows of it.
  await bench.stop('clean')
  await edit(bench, (content) => whole.copy(content, 3 * size, 3 * size, 3 * size + 61))
  await bench.start()
  expect(await readEach(bench)).toEqual(expected)
  await bench.stop('clean')
  await edit(bench, (content) => whole.copy(content))
  await bench.start()
  expect(await readEach(bench)).toEqual(batches)
  expect(await bench.run(bench.env.disk.list(bench.path))).not.toContain('damaged')
})

/** Two segments and more, the first of which is damaged and scrubbed. */
async function scrubbed(change: (content: Buffer, batchSize: number) => void) {
  const bench = await LogBench.make({ settings: { segmentBytes: 4096 }, tailBytesMax: 0 })
  const batches = await bench.append(60, { valueSize: 100 })
  await bench.world.settled()
  const size = batches[0]?.length ?? 0
  const content = Buffer.from(bench.world.disk('a').read(`${bench.path}/${FIRST}`) as Buffer)
  const whole = Buffer.from(content)
  change(content, size)
  bench.world.disk('a').overwrite(`${bench.path}/${FIRST}`, 0, content)
  expect(await bench.run(bench.log.scrub(async () => {}))).toMatchObject({ damages: 1 })
  await bench.world.settled()
  return { bench, size, whole }
}

function readAt(bench: LogBench, offset: number): Promise<unknown> {
  return bench.run(Promise.resolve(bench.log.read(offset, offset + 1, 1, true)))
}

test('a segment whose batches are not those that were written stays unserved over a restart, until it is restored', async () => {
  const { bench, size, whole } = await scrubbed((content, size) => {
    content.writeBigInt64BE(999n, 27)
    content.writeUInt32BE(crc32c(content.subarray(21, size)), 17)
  })
  const refused = { name: 'KAFKA_STORAGE_ERROR', details: { fromOffset: 0 } }
  await expect(readAt(bench, 9)).rejects.toMatchObject(refused)
  for (const how of ['clean', 'kill'] as const) {
    await bench.restart(how)
    await expect(readAt(bench, 9)).rejects.toMatchObject(refused)
  }
  await bench.stop('clean')
  await edit(bench, (content) => whole.copy(content, 0, 0, size))
  await bench.start()
  await expect(readAt(bench, 9)).resolves.toMatchObject({ nextOffset: 10 })
})

test('a sector that fails inside noted damage, or the note itself, keeps no partition away', async () => {
  const { bench, size } = await scrubbed((content, size) => content.fill(0, 3 * size, 4 * size))
  for (const path of [`${bench.path}/${FIRST}`, `${bench.path}/damaged`]) {
    await bench.stop('clean')
    bench.world.disk('a').failSector(path, path.endsWith('damaged') ? 0 : 3 * size + 70)
    await bench.start()
    await expect(readAt(bench, 3)).rejects.toMatchObject({ name: 'KAFKA_STORAGE_ERROR' })
    expect(bench.directory.offline).toBeUndefined()
  }
})

test('a note that a full disk does not let go keeps no partition away', async () => {
  let isFull = false
  const bench = await LogBench.make({
    tailBytesMax: 0,
    disk: (disk) => ({
      ...counted(disk, {}),
      removeFile: (path) =>
        isFull && path.endsWith('/damaged')
          ? Promise.reject(new DiskError('ENOSPC', 'no space', path))
          : disk.removeFile(path),
    }),
  })
  const batches = await bench.append(2)
  await bench.stop('clean')
  await edit(bench, (content) => content.fill(0, 8, 16))
  await bench.start()
  expect((await readEach(bench))[0]).toBe('0-1')
  await bench.stop('clean')
  await edit(bench, (content) => Buffer.concat(batches).copy(content))
  isFull = true
  await bench.start()
  expect(await readEach(bench)).toEqual(batches)
})

test('damage is forgotten when its records are deleted', async () => {
  const { bench } = await damaged((content, size) => content.fill(0, 3 * size, 4 * size))
  expect((await readEach(bench))[3]).toBe('3-4')
  await bench.world.settled()
  expect(await bench.run(bench.env.disk.list(bench.path))).toContain('damaged')
  await bench.run(bench.log.deleteBefore(4))
  await bench.world.settled()
  expect(await bench.run(bench.env.disk.list(bench.path))).not.toContain('damaged')
})

test('a batch that lies in damage is not served from memory either', async () => {
  const bench = await LogBench.make()
  const batches = await bench.append(10)
  const size = batches[0]?.length ?? 0
  await bench.overwrite(`${bench.path}/${FIRST}`, Buffer.alloc(size), 3 * size)
  expect(await readEach(bench)).toEqual(batches)
  await bench.run(
    bench.log.headers(
      0,
      () => undefined,
      () => undefined,
    ),
  )
  expect(await readEach(bench)).toEqual(batches.map((batch, at) => (at === 3 ? '3-4' : batch)))
  const slice = await bench.run(Promise.resolve(bench.log.read(0, 10, 10_000, true)))
  expect(slice.nextOffset).toBe(3)
})

test('the log goes on behind damage at its end', async () => {
  const { bench, batches } = await damaged((content, size) => content.fill(7, 8 * size + 5))
  expect((await readEach(bench)).slice(7)).toEqual([batches[7], '8-10', '8-10'])
  const [more] = await bench.append(1)
  const slice = await bench.run(Promise.resolve(bench.log.read(10, 11, 1, true)))
  expect(Buffer.concat(slice.buffers)).toEqual(more)
})

test('a time that may lie in damage is not answered', async () => {
  const bench = await LogBench.make({ tailBytesMax: 0 })
  for (let time = 0; time < 10; time++) await bench.append(1, { timestampMs: 1000 + time })
  const size = bench.log.sizeBytes / 10
  await bench.stop('clean')
  await edit(bench, (content) =>
    content.writeUInt8(content.readUInt8(5 * size - 1) ^ 1, 5 * size - 1),
  )
  await bench.start()
  const find = (time: number) => bench.run(bench.log.offsetForTime(time, 10))
  expect(await find(1003)).toMatchObject({ offset: 3 })
  const where = { name: 'KAFKA_STORAGE_ERROR', details: { fromOffset: 4, nextOffset: 5 } }
  await expect(find(1004)).rejects.toMatchObject(where)
  // From now on nobody gets it.
  await expect(bench.run(bench.log.read(4, 10, 1, true) as Promise<unknown>)).rejects.toMatchObject(
    where,
  )
})

test('an index is rebuilt around damage', async () => {
  const bench = await LogBench.make({ tailBytesMax: 0, settings: { indexIntervalBytes: 200 } })
  const batches = await bench.append(10)
  const size = batches[0]?.length ?? 0
  await bench.stop('clean')
  await edit(bench, (content) => content.fill(0, 3 * size, 4 * size))
  await bench.edit(`${bench.path}/${FIRST.replace('log', 'index')}`, () => undefined)
  await bench.start()
  expect(await readEach(bench)).toEqual(batches.map((batch, at) => (at === 3 ? '3-4' : batch)))
})

test('a batch inside a record is not taken for one of the log where the damage ends before the real next one', async () => {
  const bench = await LogBench.make({ tailBytesMax: 0 })
  const [first] = await bench.append(1)
  const real = batchOf(bench.env, { baseOffset: 1, valueSize: 500 })
  // A whole batch in the value, which stands where the log has one.
  batchOf(bench.env, { baseOffset: 1 }).copy(real, 100)
  bench.log.enqueue(real)
  const [last] = await bench.append(1)
  await bench.stop('clean')
  await edit(bench, (content) => content.fill(0, first?.length, (first?.length ?? 0) + 8))
  await edit(bench, (content) =>
    content.fill(0, (first?.length ?? 0) + 12, (first?.length ?? 0) + 61),
  )
  await bench.start()
  expect(await readEach(bench)).toEqual([first, '1-2', last])
})

test('whatever bit of a segment is flipped, each batch is found whole or named', async () => {
  const bench = await LogBench.make()
  const batches = await bench.append(4, { count: 3 })
  const good = Buffer.concat(batches)
  const path = `${bench.path}/${FIRST}`
  let exact = 0
  for (let bit = 0; bit < good.length * 8; bit++) {
    const content = Buffer.from(good)
    content.writeUInt8(content.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    const file = { read: async (into: Buffer, at: number) => content.copy(into, 0, at) }
    const segment = { file, baseOffset: 0, size: good.length, endOffset: 12 }
    const rules = { compactedBelow: 0, holes: [], epochs: bench.log.epochs }
    const found: string[] = []
    for await (const fact of inspectSegment(segment, new BatchChain(0, -1, rules), 'bytes')) {
      if (fact.kind === 'batch') {
        const index = batches.findIndex((batch) => batch.equals(fact.bytes))
        expect(index, `bit ${bit}`).toBeGreaterThanOrEqual(0)
        found.push(`${index}`)
      } else found.push(`${fact.damage.fromOffset}-${fact.damage.nextOffset}`)
    }
    const hit = Math.floor((bit >> 3) / (good.length / 4))
    const named = ['0', '1', '2', '3'].map((name, at) =>
      at === hit ? `${3 * hit}-${3 * hit + 3}` : name,
    )
    expect(found, `bit ${bit}`).toEqual(named)
    exact++
  }
  expect(exact, path).toBe(good.length * 8)
})

test('a batch that reaches into a hole is a part of it', async () => {
  const bench = await LogBench.make({ tailBytesMax: 0 })
  await bench.append(1)
  await bench.append(1, { count: 10 })
  await bench.stop('clean')
  await bench.edit(`${bench.path}/partition.meta`, (content) =>
    withChecksum(JSON.stringify({ ...checkedJson(content), holes: [[5, 8]] })),
  )
  await bench.start()
  const answers = await readEach(bench)
  expect(answers[0]).toBeInstanceOf(Buffer)
  expect(answers.slice(1, 5)).toEqual(['1-8', '2-8', '3-8', '4-8'])
})
