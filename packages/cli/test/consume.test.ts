// minikafka consume …, against a broker that runs.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningBroker, runBroker } from '../../broker/test/running-broker.ts'
import { commandLineOf } from './program.ts'

let broker: RunningBroker
let mk: ReturnType<typeof commandLineOf>['mk']
let start: ReturnType<typeof commandLineOf>['start']

beforeAll(async () => {
  broker = await runBroker()
  ;({ mk, start } = commandLineOf(broker.port))
  // Partition 0 holds n0 to n9, a second apart; partition 1 holds a keyed record, one with headers, a null.
  await mk(['topic', 'create', 'numbers', '-p', '2'])
  const lines = [
    ...Array.from({ length: 10 }, (_, n) => ({
      ...{ partition: 0, timestamp: BEGAN + n * 1000, value: `n${n}` },
    })),
    { partition: 1, timestamp: BEGAN, key: 'k', value: 'keyed' },
    { partition: 1, timestamp: BEGAN, value: 'headed', headers: [['source', 'web']] },
    { partition: 1, timestamp: BEGAN, key: 'gone', value: null },
  ]
  const input = lines.map((line) => JSON.stringify(line)).join('\n')
  expect((await mk(['produce', 'numbers', '-J'], { input })).code).toBe(0)
})
afterAll(() => broker[Symbol.asyncDispose]())

const BEGAN = Date.UTC(2026, 0, 31, 10)
const consumed = async (...args: string[]) => {
  const { code, stdout, stderr } = await mk(['consume', 'numbers', ...args])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}
const lines = async (...args: string[]) => (await consumed(...args)).split('\n').filter(Boolean)

test('-e prints all there is, a value a line, and ends', async () => {
  const all = await lines('-e')
  expect(all).toHaveLength(12)
  expect(all.filter((line) => line.startsWith('n'))).toEqual(
    Array.from({ length: 10 }, (_, n) => `n${n}`),
  )
})

test('-e of an empty topic ends at once', async () => {
  await mk(['topic', 'create', 'empty', '-p', '3'])
  expect(await mk(['consume', 'empty', '-e'])).toEqual({ code: 0, stdout: '', stderr: '' })
})

test.each([
  ['start', '0123456789'],
  ['end', ''],
  ['7', '789'],
  ['+8', '89'],
  ['-2', '89'],
  ['-99', '0123456789'],
  ['99', ''],
  ['2:4', '23'],
  ['+1:-7', '12'],
  [':3', '012'],
  ['@2026-01-31T10:00:08Z', '89'],
  ['@20260131T100003Z:@20260131T100006Z', '345'],
  [`@${BEGAN + 8500}:`, '9'],
  ['@-1h:', ''],
  ['@2030-01-01', ''],
])('-o %s -e begins and ends where it says', async (offset, digits) => {
  const found = await lines('-p', '0', '-e', '-o', offset)
  expect(found.map((line) => line.slice(1)).join('')).toBe(digits)
})

test('a range ends by itself, a count too', async () => {
  expect(await lines('-p', '0', '-o', '2:4')).toEqual(['n2', 'n3'])
  expect(await lines('-p', '0', '-n', '3')).toEqual(['n0', 'n1', 'n2'])
  expect(await lines('-n', '0')).toEqual([])
})

test('-e and a range that ends beyond the end stop at the end', async () => {
  expect(await lines('-p', '0', '-e', '-o', '8:1000')).toEqual(['n8', 'n9'])
})

test('a range that ends beyond the end waits for it', async () => {
  await mk(['topic', 'create', 'ranged'])
  await mk(['produce', 'ranged', 'a'])
  const running = start(['consume', 'ranged', '-o', '0:3'])
  await running.printed(/^a\n$/)
  await mk(['produce', 'ranged', 'b', 'c', 'd'])
  expect(await running.ended).toEqual({ code: 0, stdout: 'a\nb\nc\n', stderr: '' })
})

test('an offset beyond the end is waited for', async () => {
  await mk(['topic', 'create', 'later', '-p', '2'])
  await mk(['produce', 'later', '-p', '0', 'a'])
  const running = start(['consume', 'later', '-o', '2', '-n', '2', '-f', '%p/%o %v\\n'])
  await mk(['produce', 'later', '-p', '0', 'b', 'c', 'd'])
  expect(await running.ended).toEqual({ code: 0, stdout: '0/2 c\n0/3 d\n', stderr: '' })
})

test('-p reads these partitions only, and names one that is not there', async () => {
  expect(await lines('-e', '-p', '1')).toEqual(['keyed', 'headed'])
  expect(await mk(['consume', 'numbers', '-p', '0,7', '-e'])).toEqual({
    code: 3,
    stdout: '',
    stderr: 'minikafka: -p 7: numbers has partitions 0 to 1\n',
  })
})

test.each([
  [['--grep', '^n[34]$'], 'n3 n4'],
  [['--key', 'k'], 'keyed'],
  [['--header', 'source=web'], 'headed'],
  [['--header', 'source=app'], ''],
  [['--key', 'k', '--grep', 'headed'], ''],
  [['--grep', 'n', '-n', '2', '-p', '0'], 'n0 n1'],
])('%j prints only what matches', async (options, expected) => {
  expect((await lines('-e', ...options)).join(' ')).toBe(expected)
})

test('-f prints what it says, without a newline of its own', async () => {
  expect(await consumed('-e', '-p', '1', '-f', '%t[%p]@%o %k=%v %h;')).toBe(
    'numbers[1]@0 k=keyed ;numbers[1]@1 =headed source=web;numbers[1]@2 gone= ;',
  )
})

test('-J prints JSON lines, and so does -O jsonl', async () => {
  const [keyed, headed, gone] = await lines('-e', '-p', '1', '-J')
  expect(JSON.parse(keyed ?? '')).toEqual({
    ...{ topic: 'numbers', partition: 1, offset: 0, timestamp: BEGAN, key: 'k', value: 'keyed' },
    headers: [],
  })
  expect(JSON.parse(headed ?? '')).toMatchObject({ key: null, headers: [['source', 'web']] })
  expect(JSON.parse(gone ?? '')).toMatchObject({ key: 'gone', value: null })
  expect(await lines('-e', '-p', '1', '-O', 'jsonl')).toEqual([keyed, headed, gone])
})

test('--meta-only prints the size of the value in its place', async () => {
  const metas = (await lines('-e', '-p', '1', '--meta-only')).map((line) => JSON.parse(line))
  expect(metas.map(({ valueSize }) => valueSize)).toEqual([5, 6, -1])
  expect(metas[0]).not.toHaveProperty('value')
})

test('several topics, or all that match', async () => {
  await mk(['topic', 'create', 'pair-1', 'pair-2', 'a-pair-3'])
  for (const topic of ['pair-1', 'pair-2', 'a-pair-3']) await mk(['produce', topic, topic])
  const values = async (...args: string[]) =>
    (await mk(['consume', '-e', ...args])).stdout.split('\n').filter(Boolean).sort()
  expect(await values('pair-1', 'pair-2')).toEqual(['pair-1', 'pair-2'])
  expect(await values('--regex', 'pair-.')).toEqual(['pair-1', 'pair-2'])
  expect(await mk(['consume', '--regex', 'nothing'])).toMatchObject({
    code: 3,
    stderr: 'minikafka: no topic matches nothing\n',
  })
})

test('what comes later is followed, on partitions that are added, too', async () => {
  await mk(['topic', 'create', 'growing'])
  await mk(['produce', 'growing', 'old'])
  const running = start(['consume', 'growing', '-o', 'end', '-X', 'metadataMaxAgeMs=20', '-v'])
  // Reading has begun once a record is seen that was sent after.
  const sending = feed('growing', running.printed(/new-\d+\n/))
  await sending
  await broker.client().admin().addPartitions('growing', 3)
  await mk(['produce', 'growing', '-p', '2', 'elsewhere'])
  await running.printed(/elsewhere\n/)
  running.signal('SIGINT')
  const { code, stdout } = await running.ended
  expect(code).toBe(0)
  expect(stdout).not.toContain('old')
})

/** Sends until `seen`. */
async function feed(topic: string, seen: Promise<void>): Promise<void> {
  let isSeen = false
  void seen.then(() => {
    isSeen = true
  })
  for (let n = 0; !isSeen; n++) await mk(['produce', topic, '-p', '0', `new-${n}`])
}

test('a broker that restarts is waited for, nothing is lost or twice', async () => {
  await mk(['topic', 'create', 'survivor'])
  await mk(['produce', 'survivor', 'before'])
  const running = start(['consume', 'survivor', '-n', '2'])
  await running.printed(/^before\n/)
  await broker.restart()
  await mk(['produce', 'survivor', 'after'])
  expect(await running.ended).toMatchObject({ code: 0, stdout: 'before\nafter\n' })
})

test('a topic that is deleted ends who wants its end, and is told to who follows', async () => {
  await mk(['topic', 'create', 'doomed'])
  await mk(['produce', 'doomed', 'a'])
  const ends = start(['consume', 'doomed', '-o', '0:5'])
  const follows = start(['consume', 'doomed'])
  await Promise.all([ends.printed(/^a\n/), follows.printed(/^a\n/)])
  await mk(['topic', 'delete', 'doomed', '--yes'])
  expect(await ends.ended).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/^minikafka: topic 'doomed' is gone/),
  })
  await follows.printed(/^topic 'doomed' is gone/, 'stderr')
  follows.signal('SIGINT')
  expect((await follows.ended).code).toBe(0)
})

test('an unknown topic ends with 3 and names the nearest', async () => {
  for (const options of [[], ['-e'], ['-o', '5'], ['-p', '0']])
    expect(await mk(['consume', 'nubmers', ...options])).toEqual({
      code: 3,
      stdout: '',
      stderr: "minikafka: there is no topic 'nubmers'; did you mean 'numbers'?\n",
    })
})

test.each([
  [['-o', 'begin'], /"begin" is no offset/],
  [['-o', '4:2'], /the range 4:2 ends before it begins/],
  [['-n', 'x'], /-n x: expected a number/],
  [['-p', '0-3'], /-p 0-3: expected partition numbers, such as 0,2/],
  [['-f', '%q'], /%q is no verb/],
  [['--grep', '('], /--grep \(: Invalid regular expression/],
  [['--header', 'x'], /--header x: expected name=value/],
  [['-J', '-f', 'x'], /'-J, --json' cannot be used with option '-f, --format <format>'/],
  [['-g', 'billing'], /-g: say with -o where to begin/],
  [['-o', 'committed'], /only a group commits offsets/],
  [['-X', 'isolation=none'], /isolation must be one of/],
])('consume %j is a usage error', async (options, message) => {
  expect(await mk(['consume', 'numbers', ...options])).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(message),
  })
})
