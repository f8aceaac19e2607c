// minikafka topic add-partitions | trim | offsets | tail | stats, against a broker that runs.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningBroker, runBroker } from '../../broker/test/running-broker.ts'
import { commandLineOf } from './program.ts'

let broker: RunningBroker
let mk: ReturnType<typeof commandLineOf>['mk']
let start: ReturnType<typeof commandLineOf>['start']

beforeAll(async () => {
  broker = await runBroker({ 'log.cleaner.backoff.ms': '100ms' })
  ;({ mk, start } = commandLineOf(broker.port))
})
afterAll(() => broker[Symbol.asyncDispose]())

const offsetsOf = async (topic: string, ...options: string[]) =>
  JSON.parse((await mk(['topic', 'offsets', topic, '-O', 'json', ...options])).stdout) as Record<
    string,
    number | string
  >[]

/** Ten records, a second apart, from 2026-01-31 on: those with odd numbers in partition 1. */
async function tenRecords(topic: string): Promise<void> {
  await mk(['topic', 'create', topic, '-p', '2'])
  const lines = Array.from({ length: 10 }, (_, n) =>
    JSON.stringify({
      partition: n % 2,
      timestamp: Date.UTC(2026, 0, 31, 0, 0, n),
      key: n % 2 === 0 ? 'even' : null,
      value: n === 9 ? null : `v${n}`,
    }),
  )
  const { code } = await mk(['produce', topic, '-J'], { input: `${lines.join('\n')}\n` })
  expect(code).toBe(0)
}

// --- add-partitions ------------------------------------------------------------------------------

test('add-partitions grows to a number or by one, and warns that keys move', async () => {
  await mk(['topic', 'create', 'grown'])
  expect(await mk(['topic', 'add-partitions', 'grown', '-p', '3'])).toEqual({
    code: 0,
    stdout: '',
    stderr: expect.stringMatching(
      /^grown has 3 partitions, was 1; most keys now belong to another/,
    ),
  })
  expect((await mk(['topic', 'add-partitions', 'grown', '-p', '+2'])).code).toBe(0)
  expect(await offsetsOf('grown')).toHaveLength(5)
})

test('add-partitions --dry-run prints the plan, and changes nothing', async () => {
  await mk(['topic', 'create', 'planned'])
  const { code, stdout } = await mk(['topic', 'add-partitions', 'planned', '-p', '4', '--dry-run'])
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringMatching(/^would give planned 4 partitions instead of 1; most keys/),
  })
  expect(await offsetsOf('planned')).toHaveLength(1)
})

test('add-partitions --dry-run is checked by the broker', async () => {
  await mk(['topic', 'create', 'huge'])
  const args = ['topic', 'add-partitions', 'huge', '-p', '100000000', '--dry-run']
  expect(await mk(args)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/partitions/),
  })
})

test.each([
  [['small', '-p', '2'], 1, 'small has 2 partitions: that is not less than 2'],
  [['smal', '-p', '3'], 3, "there is no topic 'smal'; did you mean 'small'?"],
  [['small', '-p', 'x'], 2, '-p x: expected a number, 1 or more'],
])('add-partitions %j ends with %i', async (args, code, line) => {
  await mk(['topic', 'create', 'small', '-p', '2', '--if-not-exists'])
  const { stderr, ...ending } = await mk(['topic', 'add-partitions', ...args])
  expect({ stderr, code: ending.code }).toEqual({ code, stderr: `minikafka: ${line}\n` })
})

// --- trim ----------------------------------------------------------------------------------------

test('trim without a terminal needs --yes, and then deletes what lies before', async () => {
  await tenRecords('trimmed')
  expect((await mk(['topic', 'trim', 'trimmed', '--before', '3'])).code).toBe(2)
  expect(await offsetsOf('trimmed')).toMatchObject([{ startOffset: 0 }, { startOffset: 0 }])
  const { code, stdout } = await mk(['topic', 'trim', 'trimmed', '--before', '3', '-p', '1', '-y'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^PARTITION +START +NEW START +DELETED\n +1 +0 +3 +3\n$/)
  expect(await offsetsOf('trimmed')).toMatchObject([{ startOffset: 0 }, { startOffset: 3 }])
})

test('trim on a terminal says how many records go, and asks', async () => {
  await tenRecords('asked')
  const running = start(['topic', 'trim', 'asked', '--before', 'end'], {
    tty: ['stdin', 'stdout', 'stderr'],
  })
  await running.printed(/Delete 10 records of asked, for good\? \[y\/N\] $/, 'stderr')
  running.type('n\n')
  expect((await running.ended).code).toBe(1)
  expect(await offsetsOf('asked')).toMatchObject([{ startOffset: 0 }, { startOffset: 0 }])
})

test('trim --dry-run takes times, prints the plan, and deletes nothing', async () => {
  await tenRecords('kept')
  const args = ['topic', 'trim', 'kept', '--before', '@2026-01-31T00:00:05Z', '--dry-run']
  const { stdout } = await mk([...args, '-O', 'json'])
  expect(JSON.parse(stdout)).toMatchObject([
    { partition: 0, startOffset: 0, offset: 3, records: 3 },
    { partition: 1, startOffset: 0, offset: 2, records: 2 },
  ])
  expect(await offsetsOf('kept')).toMatchObject([{ startOffset: 0 }, { startOffset: 0 }])
})

test('trim beyond the end of a partition deletes nothing at all', async () => {
  await tenRecords('short')
  await mk(['produce', 'short', '-p', '1', 'one more'])
  expect(await mk(['topic', 'trim', 'short', '--before', '6', '-y'])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/short-0 ends at 5, before 6; nothing was deleted/),
  })
  expect(await offsetsOf('short')).toMatchObject([{ startOffset: 0 }, { startOffset: 0 }])
})

test('trim of what is gone already says so', async () => {
  await tenRecords('gone')
  expect(await mk(['topic', 'trim', 'gone', '--before', 'start'])).toMatchObject({
    code: 0,
    stderr: 'nothing to delete\n',
  })
})

// --- offsets -------------------------------------------------------------------------------------

test('offsets prints where partitions begin and end, and where a time is', async () => {
  await tenRecords('timed')
  expect((await mk(['topic', 'offsets', 'timed'])).stdout).toMatch(
    /^PARTITION +START +END +RECORDS\n +0 +0 +5 +5\n +1 +0 +5 +5\n$/,
  )
  const at = async (time: string) =>
    (await offsetsOf('timed', '--at', time)).map(({ offset }) => offset)
  expect(await at('2026-01-31T00:00:03Z')).toEqual([2, 1])
  expect(await at(String(Date.UTC(2026, 0, 31, 0, 0, 3)))).toEqual([2, 1])
  expect(await at('@2026-01-31')).toEqual([0, 0])
  expect(await at('-1ms')).toEqual([5, 5])
  expect(await at('-2')).toEqual([3, 3])
  expect((await mk(['topic', 'offsets', 'timed', '--at', 'end', '-p', '1'])).stdout).toMatch(
    /RECORDS +AT end\n +1 +0 +5 +5 +5\n$/,
  )
})

test.each([
  [['timed', '--at', 'soon'], 2, /"soon" is no offset/],
  [['timed', '--at', 'committed'], 2, /only a group commits/],
  [['timed', '-p', '7'], 3, /-p 7: timed has partitions 0 to 1/],
  [['tiemd'], 3, /tiemd/],
])('offsets %j ends with %i', async (args, code, message) => {
  await mk(['topic', 'create', 'timed', '-p', '2', '--if-not-exists'])
  expect(await mk(['topic', 'offsets', ...args, '--timeout', '30s'])).toMatchObject({
    code,
    stderr: expect.stringMatching(message),
  })
})

// --- tail ----------------------------------------------------------------------------------------

test('tail prints the last records of all partitions by time', async () => {
  await tenRecords('tailed')
  const tail = async (...options: string[]) =>
    (await mk(['topic', 'tail', 'tailed', ...options])).stdout
  expect(await tail('-n', '3', '-f', '%p@%o %v\\n')).toBe('1@3 v7\n0@4 v8\n1@4 \n')
  expect((await tail()).split('\n')).toHaveLength(11)
  expect(await tail('-n', '2', '-p', '0')).toBe('v6\nv8\n')
  expect(JSON.parse(await tail('-n', '1', '-J'))).toMatchObject({ partition: 1, value: null })
  expect(await tail('-n', '0')).toBe('')
})

test('tail reads further back where compaction left no records', async () => {
  const config = ['cleanup.policy=compact', 'segment.bytes=4096', 'min.cleanable.dirty.ratio=0']
  await mk(['topic', 'create', 'sparse', ...config.flatMap((pair) => ['-c', pair])])
  const records = Array.from({ length: 400 }, (_, n) => ({
    key: n === 0 ? 'first' : 'same',
    value: n === 0 ? 'early' : 'x'.repeat(100),
  }))
  const input = records.map((record) => `${JSON.stringify(record)}\n`).join('')
  await mk(['produce', 'sparse', '-J', '-X', 'maxBatchBytes=2000'], { input })
  // Ends with the time of the test.
  const left = async () => (await mk(['consume', 'sparse', '-e'])).stdout.split('\n').length - 1
  let count = records.length
  while (count >= 60) count = await left()
  const { stdout } = await mk(['topic', 'tail', 'sparse', '-n', '60'])
  expect(stdout).toMatch(/^early\n/)
  expect(stdout.split('\n').length - 1).toBe(count)
})

test('tail of an empty topic prints nothing, of a missing one ends with 3', async () => {
  await mk(['topic', 'create', 'empty'])
  expect(await mk(['topic', 'tail', 'empty'])).toMatchObject({ code: 0, stdout: '' })
  expect(await mk(['topic', 'tail', 'emtpy'])).toMatchObject({ code: 3, stdout: '' })
})

// --- stats ---------------------------------------------------------------------------------------

test('stats counts records and bytes by partition', async () => {
  await tenRecords('counted')
  const { code, stdout } = await mk(['topic', 'stats', 'counted', '--interval', '10ms'])
  expect(code).toBe(0)
  expect(stdout).toMatch(
    /^topic +counted\nrecords +10\nsize +\d.*\ngrows by +0 records\/s, 0 B\/s\n/,
  )
  expect(stdout).toMatch(/\nPARTITION +START +END +RECORDS +SIZE +RECORDS\/S +BYTES\/S\n/)
  expect(stdout).not.toContain('keys')
})

test('stats measures how fast a topic grows', async () => {
  await mk(['topic', 'create', 'growing'])
  const producing = start(['produce', 'growing', '--rate', '200'], {
    input: 'x\n'.repeat(10_000),
  })
  const { stdout } = await mk(['topic', 'stats', 'growing', '--interval', '1s', '-O', 'json'])
  producing.signal('SIGINT')
  await producing.ended
  const { recordsPerSecond } = JSON.parse(stdout) as { recordsPerSecond: number }
  expect(recordsPerSecond).toBeGreaterThan(0)
})

test('stats --scan reads the records: keys, nulls, sizes, times', async () => {
  await tenRecords('scanned')
  const args = ['topic', 'stats', 'scanned', '--scan', '--interval', '1ms']
  expect(JSON.parse((await mk([...args, '-O', 'json'])).stdout)).toMatchObject({
    records: 10,
    read: 10,
    withKey: 5,
    keys: 1,
    keysAreAll: true,
    topKeys: [{ key: 'even', records: 5 }],
    nulls: 1,
    keyBytes: 20,
    valueBytes: 18,
    valueBytesMax: 2,
    firstMs: Date.UTC(2026, 0, 31, 0, 0, 0),
    lastMs: Date.UTC(2026, 0, 31, 0, 0, 9),
  })
  expect((await mk(args)).stdout).toMatch(
    /\nkeys +1 in 5 records\nmost often +"even" 50\.0 %\nvalues +18 B, on average 2 B, at most 2 B\n/,
  )
})
