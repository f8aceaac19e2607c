// Damage of every byte class of every file of a data directory, after a clean stop and after a kill: what was acknowledged
// comes right, or an error names what does not, or the broker does not start and names the file. `MINIKAFKA_FLIPS=all`
// flips every bit.
import { nodeEnv } from '@minikafka/platform'
import { expect, test } from 'vitest'
import {
  checkRefusal,
  DATA,
  FlipBench,
  judge,
  readAll,
  type Story,
  tellStory,
} from './flip-bench.ts'

const BATCH_SIZE = 538
const ALL = nodeEnv().program.variables.MINIKAFKA_FLIPS === 'all'
const SECTOR = 512

/** A change of one file: undefined removes it. */
type Change = { readonly what: string; readonly content: Buffer | undefined }
type FileClass = {
  readonly name: string
  readonly path: string
  /** First byte and size of each field; text files are one field. */
  readonly fields: (content: Buffer) => readonly (readonly [string, number, number])[]
}

const HEADER: readonly (readonly [string, number, number])[] = [
  ['base offset', 0, 8],
  ['length', 8, 4],
  ['leader epoch', 12, 4],
  ['magic', 16, 1],
  ['CRC', 17, 4],
  ['attributes', 21, 2],
  ['last offset delta', 23, 4],
  ['base timestamp', 27, 8],
  ['max timestamp', 35, 8],
  ['producer id', 43, 8],
  ['producer epoch', 51, 2],
  ['base sequence', 53, 4],
  ['record count', 57, 4],
  ['record length prefix', 61, 2],
  ['records', 63, BATCH_SIZE - 63],
]

/** Of the first, the middle and the last batch of a segment. */
function batchFields(content: Buffer) {
  const batches = content.length / BATCH_SIZE
  return [0, Math.floor(batches / 2), batches - 1].flatMap((batch) =>
    HEADER.map(([name, at, size]) => [name, batch * BATCH_SIZE + at, size] as const),
  )
}

function entryFields(fields: readonly (readonly [string, number, number])[]) {
  const size = fields.reduce((sum, [, , fieldSize]) => sum + fieldSize, 0)
  return (content: Buffer) =>
    Array.from({ length: content.length / size }, (_, entry) =>
      fields.map(([name, at, fieldSize]) => [name, entry * size + at, fieldSize] as const),
    ).flat()
}

const asText = (content: Buffer) => [['text', 0, content.length] as const]
const SLOT = entryFields([
  ['topic id', 0, 16],
  ['partition', 16, 4],
  ['durable offset', 20, 8],
  ['CRC', 28, 4],
])

function classes(story: Story): FileClass[] {
  const below = (partition: number) => `${DATA}/orders-${partition}`
  const segments = [...story.files.keys()].filter(
    (path) => path.startsWith(below(0)) && path.endsWith('.log'),
  )
  const [first = '', last = ''] = [segments[0], segments.at(-1)]
  const files: FileClass[] = [
    { name: 'sealed segment', path: first, fields: batchFields },
    { name: 'active segment', path: last, fields: batchFields },
    {
      name: '.index',
      path: first.replace('.log', '.index'),
      fields: entryFields([
        ['relative offset', 0, 4],
        ['position', 4, 4],
      ]),
    },
    {
      name: '.timeindex',
      path: first.replace('.log', '.timeindex'),
      fields: entryFields([
        ['timestamp', 0, 8],
        ['relative offset', 8, 4],
      ]),
    },
    { name: 'synced', path: `${DATA}/synced`, fields: SLOT },
    {
      name: 'metadata.synced',
      path: `${DATA}/metadata.synced`,
      fields: entryFields([
        ['base', 0, 8],
        ['position', 8, 8],
        ['CRC', 16, 4],
      ]),
    },
  ]
  const texts = ['meta.json', 'clean-shutdown.json', 'recovery-point', 'log-start-offset']
  texts.push('hw-checkpoint', 'metadata.log', 'metadata.snapshot')
  for (const name of texts) files.push({ name, path: `${DATA}/${name}`, fields: asText })
  for (const name of ['sealed', 'partition.meta', 'leader-epoch-checkpoint', 'producer-snapshot'])
    files.push({ name, path: `${below(1)}/${name}`, fields: asText })
  return files.filter(({ path }) => story.files.has(path))
}

/** Bits of each field, or a sample of them, and what else may become of a file. */
function* changesOf(file: FileClass, story: Story): Generator<Change> {
  const content = story.files.get(file.path) as Buffer
  for (const [name, at, size] of file.fields(content)) {
    for (const bit of bitsOf(size, at)) {
      const changed = Buffer.from(content)
      const byte = at + (bit >> 3)
      changed.writeUInt8(changed.readUInt8(byte) ^ (1 << (bit & 7)), byte)
      yield { what: `${name}: bit ${bit & 7} of byte ${byte}`, content: changed }
    }
  }
  yield { what: 'one byte shorter', content: content.subarray(0, -1) }
  yield { what: 'empty', content: Buffer.alloc(0) }
  yield { what: 'gone', content: undefined }
  const sectors = Math.ceil(content.length / SECTOR)
  for (const sector of new Set([0, Math.floor(sectors / 2), sectors - 1])) {
    const changed = Buffer.from(content)
    changed.subarray(sector * SECTOR, (sector + 1) * SECTOR).fill(0)
    yield { what: `sector ${sector} zeroed`, content: changed }
  }
  const old = story.oldFiles.get(file.path)
  if (old !== undefined && !old.equals(content)) yield { what: 'an old copy', content: old }
}

function bitsOf(size: number, seed: number): number[] {
  const count = size * 8
  if (ALL) return Array.from({ length: count }, (_, bit) => bit)
  const wanted = size > 16 ? 6 : 1
  return Array.from({ length: wanted }, (_, index) => {
    return (Math.floor((index * count) / wanted) + seed * 7919 + index * 104_729) % count
  })
}

for (const end of ['clean', 'kill'] as const) {
  test(`after a ${end} stop damage is detected or harmless, never wrong data`, async () => {
    const story = await tellStory(end)
    const wrong: string[] = []
    for (const file of classes(story)) await judgeClass(story, file, end, wrong)
    expect(wrong).toEqual([])
  }, 3_600_000)
}

async function judgeClass(
  story: Story,
  file: FileClass,
  end: string,
  wrong: string[],
): Promise<void> {
  const sum = { right: 0, named: 0, refused: 0 }
  let changes = 0
  for (const { what, content } of changesOf(file, story)) {
    const files = new Map(story.files)
    if (content === undefined) files.delete(file.path)
    else files.set(file.path, content)
    const bench = await FlipBench.make(files)
    try {
      const outcome = await judge(story, bench, file.name)
      for (const key of ['right', 'named', 'refused'] as const) sum[key] += outcome[key]
      bench.world.close()
    } catch (error) {
      wrong.push(`${file.path}: ${what}: ${(error as Error).stack}`)
    }
    changes++
  }
  const counts = `${sum.right} records right, ${sum.named} named, ${sum.refused} starts refused`
  console.log(
    `${end.padEnd(5)} ${file.name.padEnd(24)} ${`${changes}`.padStart(5)} changes: ${counts}`,
  )
}

test('under a running broker, too: a reader gets it right or hears of it, the scrubber finds the rest, a restart knows', async () => {
  const story = await tellStory('kill')
  const sum = { right: 0, named: 0, byReader: 0, refused: 0 }
  let changes = 0
  for (const file of classes(story)) {
    const content = story.files.get(file.path) as Buffer
    for (const [name, at, size] of file.fields(content)) {
      // The first batch of a segment stands for all.
      if (!ALL && file.name.endsWith('segment') && at >= BATCH_SIZE) continue
      const bench = await FlipBench.make(story.files)
      await bench.start()
      bench.flip(file.path, at * 8 + ((at * 7919) % (size * 8)))
      changes++
      await readAll(story, bench, sum)
      // The interval of the scrubber.
      await bench.world.clock.advance('1m')
      const scrubbed = { right: 0, named: 0, byReader: 0, refused: 0 }
      await readAll(story, bench, scrubbed)
      expect(scrubbed.byReader, `${file.path} ${name}`).toBe(0)
      await bench.stop('clean')
      await bench.start().then(
        () => readAll(story, bench, sum),
        (error: unknown) => {
          checkRefusal(error, file.name)
          sum.refused++
        },
      )
      bench.world.close()
    }
  }
  console.log(`running: ${changes} changes: ${JSON.stringify(sum)}`)
}, 3_600_000)
