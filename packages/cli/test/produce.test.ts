// minikafka produce …, against a broker that runs.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type RunningBroker, runBroker } from '../../broker/test/running-broker.ts'
import { commandLineOf } from './program.ts'

let broker: RunningBroker
let mk: ReturnType<typeof commandLineOf>['mk']
let start: ReturnType<typeof commandLineOf>['start']
let count = 0
/** Of one partition, new for each test. */
let topic: string

beforeAll(async () => {
  broker = await runBroker()
  ;({ mk, start } = commandLineOf(broker.port))
})
beforeEach(async () => {
  topic = `topic-${++count}`
  await mk(['topic', 'create', topic])
})
afterAll(() => broker[Symbol.asyncDispose]())

const stored = async (format = '%k=%v\\n', of = topic) =>
  (await mk(['consume', of, '-e', '-f', format])).stdout
const produced = async (args: string[], input?: string | Buffer) => {
  const ending = await mk(['produce', topic, ...args], { input: input ?? '' })
  expect(ending).toMatchObject({ code: 0 })
  return ending
}

test('values of the command line are records, whole', async () => {
  const { stdout, stderr } = await produced(['a', 'b\nc', ''])
  expect({ stdout, stderr }).toEqual({ stdout: '', stderr: `produced 3 records to ${topic}\n` })
  expect(await stored('[%v]')).toBe('[a][b\nc][]')
})

test('without a value, lines of stdin are, the last one without its end', async () => {
  await produced([], 'a\n\nb')
  expect(await stored('[%v]')).toBe('[a][][b]')
})

test('-D ends records, -K keys, in escapes and UTF-8', async () => {
  await produced(['-D', '→', '-K', '\\x1f'], 'k\x1fv→w→\x1fx→')
  expect(await stored('%k=%v %K\n')).toBe('k=v 1\n=w -1\n=x 0\n')
})

test('-k, -H and -p hold for every record', async () => {
  await produced(['-k', 'c-42', '-H', 'source=web', '-H', 'n=1', '-p', '0', 'a', 'b'])
  expect(await stored('%p %k=%v %h\n')).toBe('0 c-42=a source=web,n=1\n0 c-42=b source=web,n=1\n')
})

test('-Z makes what is empty null', async () => {
  await produced(['-Z', '-K', ':'], 'k:\n:v\n')
  expect(await stored('%K %V\n')).toBe('1 -1\n-1 1\n')
})

test.each(['none', 'gzip', 'lz4', 'snappy', 'zstd'])('-z %s is read back', async (codec) => {
  await produced(['-z', codec], 'x'.repeat(500))
  expect(await stored('%V')).toBe('500')
})

test.each([
  ['all', `@0`],
  ['leader', '@0'],
  ['1', '@0'],
  ['none', '@?'],
])('--acks %s', async (acks, place) => {
  const { stdout } = await produced(['--acks', acks, '-v', 'a'])
  expect(stdout).toBe(`${topic}[0]${place}\n`)
})

test('-v prints where each record went, in order; -O jsonl as JSON', async () => {
  const values = Array.from({ length: 3_000 }, (_, n) => `${n}`)
  const { stdout } = await produced(['-v'], values.join('\n'))
  expect(stdout).toBe(values.map((n) => `${topic}[0]@${n}\n`).join(''))
  const json = await produced(['-v', '-O', 'jsonl', 'x'])
  expect(JSON.parse(json.stdout)).toMatchObject({ topic, partition: 0, offset: 3_000 })
})

test('--file is read instead of stdin', async () => {
  const path = join(broker.directory, 'input.txt')
  writeFileSync(path, 'a\nb\n'.repeat(100_000))
  const { stderr } = await produced(['--file', path], 'not this')
  expect(stderr).toBe(`produced 200000 records to ${topic}\n`)
  expect(await mk(['consume', topic, '-o', '199998', '-e'])).toMatchObject({ stdout: 'a\nb\n' })
})

test('--count stops after so many, though more would come', async () => {
  const running = start(['produce', topic, '--count', '2'])
  running.type('a\nb\nc\n')
  expect(await running.ended).toMatchObject({ code: 0 })
  expect(await stored('%v ')).toBe('a b ')
})

test('--tee prints the values, too', async () => {
  expect((await produced(['--tee', '-K', ':'], 'k:a\nb')).stdout).toBe('a\nb\n')
})

test('--tee prints a value as soon as it is sent', async () => {
  const running = start(['produce', topic, '--tee', '--rate', '1/1h', '--count', '9'])
  running.type('a\nb\n')
  await running.printed(/^a\n$/)
  running.signal('SIGINT')
  expect(await running.ended).toMatchObject({ code: 1, stdout: 'a\n' })
})

test('-f reads what consume -f prints, bytes and all', async () => {
  const format = '%K %V %k%v\\n'
  await produced(['-f', '%k %v\\n'], 'a one\nb two\n')
  await produced(['-Z', '', '-k', 'tombstone'])
  const printed = await stored(format)
  await mk(['topic', 'create', `${topic}-copy`])
  await mk(['produce', `${topic}-copy`, '-f', format], { input: printed })
  expect(await stored(format, `${topic}-copy`)).toBe(printed)
  expect(printed).toBe('1 3 aone\n1 3 btwo\n9 -1 tombstone\n')
})

test('consume -J goes into produce -J, key, headers, partition and timestamp kept', async () => {
  await mk(['topic', 'create', `${topic}-a`, `${topic}-b`, '-p', '3'])
  const lines = [
    {
      key: 'k',
      value: 'v',
      headers: [
        ['h', 'x'],
        ['h', null],
      ],
      timestamp: 1_767_225_600_000,
    },
    { key: null, value: null, partition: 2 },
    { key: '/w==', keyEncoding: 'base64', value: '', headers: [['b', '/w==', 'base64']] },
  ]
  const input = lines.map((line) => JSON.stringify(line)).join('\n')
  await mk(['produce', `${topic}-a`, '-J'], { input })
  const out = await mk(['consume', `${topic}-a`, '-e', '-J'])
  await mk(['produce', `${topic}-b`, '-J'], { input: out.stdout })
  const copy = await mk(['consume', `${topic}-b`, '-e', '-J'])
  const sorted = (text: string) =>
    text.replaceAll(`"${topic}-b"`, `"${topic}-a"`).split('\n').sort()
  expect(sorted(copy.stdout)).toEqual(sorted(out.stdout))
  expect(out.stdout).toContain('"timestamp":1767225600000')
})

test('a broken JSON line is named by its number, and what was sent before it is there', async () => {
  const input = '{"value":"a"}\n{"value":"b"}\n{"valeu":"c"}\n{"value":"d"}\n'
  expect(await mk(['produce', topic, '-J'], { input })).toEqual({
    code: 1,
    stdout: '',
    stderr:
      'minikafka: line 3: "value" is missing (null is allowed); 2 records were produced before it\n',
  })
  expect(await stored('%v ')).toBe('a b ')
})

test('a record that the client refuses is named by its line, too', async () => {
  const input = '{"value":"a"}\n{"value":"b","timestamp":-5}\n'
  expect(await mk(['produce', topic, '-J'], { input })).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /^minikafka: line 2: .*timestamp.*; 1 record was produced before it\n$/,
    ),
  })
})

test('a record that the broker refuses ends it, and says how many went through', async () => {
  await mk(['topic', 'alter', topic, '-c', 'max.message.bytes=1024'])
  const input = ['small', 'x'.repeat(5_000), 'small'].join('\n')
  const ending = await mk(['produce', topic], { input })
  expect(ending).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/above max\.message\.bytes.*; 2 of 3 records were produced\n$/),
  })
})

test('an unknown topic ends with 3 and names the nearest, while stdin is open', async () => {
  await mk(['topic', 'create', 'invoices'])
  const running = start(['produce', 'invoice'])
  running.type('a\n')
  expect(await running.ended).toEqual({
    code: 3,
    stdout: '',
    stderr: "minikafka: there is no topic 'invoice'; did you mean 'invoices'?\n",
  })
})

test('a partition that is not there ends with 3', async () => {
  expect(await mk(['produce', topic, '-p', '7', 'a'])).toMatchObject({
    code: 3,
    stderr: `minikafka: '${topic}' has no partition 7; it has 1, from 0\n`,
  })
})

test('a broker that restarts in the middle is waited for, nothing is lost or twice', async () => {
  const running = start(['produce', topic])
  running.type('before\n')
  await until(async () => (await stored('%v')) === 'before')
  await broker.restart(() => {
    running.type('meanwhile\n')
  })
  running.type('after\n')
  running.endInput()
  expect(await running.ended).toMatchObject({ code: 0 })
  expect(await stored('%v ')).toBe('before meanwhile after ')
})

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds()));
}

test('on a terminal a word says how lines are ended', async () => {
  const running = start(['produce', topic], { tty: ['stdin', 'stderr'] })
  await running.printed(/^a record per line; Ctrl-D ends\n$/, 'stderr')
  running.type('a\n')
  running.endInput()
  expect((await running.ended).code).toBe(0)
  expect(await stored('%v')).toBe('a')
})

test('-q says nothing', async () => {
  expect(await mk(['produce', topic, '-q', 'a'])).toEqual({ code: 0, stdout: '', stderr: '' })
})

test.each([
  [['x', '--file', '/x'], /give values or --file, not both/],
  [['--file', '/no/such'], /--file \/no\/such: there is no such file/],
  [['--file', '/'], /--file \/: that is a directory/],
  [['--rate', 'x', 'a'], /--rate x: expected a number/],
  [['--rate', '1/2', 'a'], /expected a duration/],
  [['--count', '-1', 'a'], /--count -1: expected a number/],
  [['-z', 'br', 'a'], /-z br: expected one of none, gzip/],
  [['--acks', '2', 'a'], /--acks 2: expected all, leader or none/],
  [['-H', 'x', 'a'], /-H x: expected name=value/],
  [['-D', '', 'a'], /-D: a delimiter has at least one character/],
  [['-K', '\\q'], /\\q is no escape/],
  [['-J', '-K', ':'], /'-J, --json' cannot be used with option '-K/],
  [['-f', '%k%v'], /something must stand behind the key/],
  [['-X', 'lingerMs=-1', 'a'], /lingerMs must be an integer/],
])('produce %j is a usage error', async (options, message) => {
  expect(await mk(['produce', topic, ...options])).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringMatching(message),
  })
  expect(await stored()).toBe('')
})
