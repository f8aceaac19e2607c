import { BatchWriter, stampBatch } from '@minikafka/protocol'
import { expect, test } from 'vitest'
import { allOf, LogBench } from '../../test/log-bench.ts'
import { type DumpOptions, dumpLog, type InspectLine } from './inspect.ts'

const FIRST = '00000000000000000000.log'

async function dump(bench: LogBench, options: Partial<DumpOptions> = {}): Promise<InspectLine[]> {
  const lines = dumpLog(bench.env, `${bench.path}/${FIRST}`, {
    records: false,
    from: 0,
    ...options,
  })
  return await bench.run(allOf(lines))
}

test('a line a batch says what its header says', async () => {
  const bench = await LogBench.make()
  await bench.append(2, { count: 3, valueSize: 10 })
  const lines = await dump(bench)
  expect(lines.map(({ text }) => text)).toEqual([
    'offsets 0-2  position 0  size 112  records 3  epoch 1  create time 1970-01-01T00:00:01.002Z  codec none',
    'offsets 3-5  position 112  size 112  records 3  epoch 1  create time 1970-01-01T00:00:01.002Z  codec none',
  ])
  expect(lines.some(({ problem }) => problem)).toBe(false)
})

test('records are lines of JSON from the offset asked for; what is no text is base64', async () => {
  const bench = await LogBench.make()
  const writer = new BatchWriter(Buffer.alloc(1000))
  writer.tryAppend(5, 'key', 'eins\u001b[2Jzwei\u0085', [['h', 'x']])
  writer.tryAppend(6, null, Buffer.from([0xff, 0xfe]), undefined)
  writer.tryAppend(7, null, null, undefined)
  const batch = writer.seal(bench.env.compress, {
    compression: 'none',
    producerId: 8,
    producerEpoch: 1,
    baseSequence: 2,
  })
  stampBatch(batch, 0, 1)
  bench.log.enqueue(batch)
  await bench.run(bench.log.flush())
  const lines = (await dump(bench, { records: true })).map(({ text }) => text)
  expect(lines[0]).toContain('producer 8 epoch 1 sequence 2')
  expect(lines.slice(1)).toEqual([
    '  {"offset":0,"timestamp":5,"key":"key","value":"eins\\u001b[2Jzwei\\u0085","headers":[["h","x"]]}',
    '  {"offset":1,"timestamp":6,"key":null,"value":"base64://4=","headers":[]}',
    '  {"offset":2,"timestamp":7,"key":null,"value":null,"headers":[]}',
  ])
  expect(await dump(bench, { records: true, from: 2 })).toHaveLength(2)
  expect(await dump(bench, { from: 3 })).toEqual([])
})

test('a wrong CRC and a broken chain are named, and what follows is shown', async () => {
  const bench = await LogBench.make()
  const [batch] = await bench.append(5)
  const size = batch?.length ?? 0
  await bench.stop('kill')
  await bench.edit(`${bench.path}/${FIRST}`, (content) => {
    const changed = Buffer.from(content)
    changed.writeUInt8(changed.readUInt8(size + 70) ^ 1, size + 70)
    changed.writeInt8(9, 3 * size + 16)
    return changed
  })
  bench.env = bench.world.env('a')
  const lines = await dump(bench, { records: true })
  expect(lines.filter(({ problem }) => problem).map(({ text }) => text)).toEqual([
    expect.stringMatching(new RegExp(`^offsets 1-1  position ${size}  .*CRC IS WRONG$`)),
    `position ${3 * size}  offset 3: magic 9 instead of 2; ${size} bytes are no batch, batches go on at ${4 * size}`,
  ])
  expect(lines).toHaveLength(8)
})

test('a file that is no segment is refused with its path', async () => {
  const bench = await LogBench.make()
  for (const path of [`${bench.path}/sealed`, `${bench.path}/00000000000000000099.log`]) {
    const lines = dumpLog(bench.env, path, { records: false, from: 0 })
    await expect(bench.run(allOf(lines))).rejects.toMatchObject({ path, exitCode: 74 })
  }
})
