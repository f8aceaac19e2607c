// The embedded metadata store on files that were changed: its log, its snapshot, its floor.
// Holds: it opens with a state that was acknowledged once, all of it where the floor covers it, or says StoreDamaged and
// changes nothing; what opened takes a transaction and keeps it.
import type { Env } from '@minikafka/platform'
import { decodeMsgpack, encodeMsgpack } from '@minikafka/protocol'
import { type EmbeddedStore, openEmbeddedStore } from '../../../cluster/src/embedded/index.ts'
import { createWorld, type World } from '../../src/world/index.ts'
import { type Dice, diceOf } from '../dice.ts'
import { mutate } from '../mutate.ts'
import { ACCEPTED, Finding, type Session, type Target } from '../target.ts'

const NODE = 'a'
const DIRECTORY = '/data'
const NAMES = ['metadata.log', 'metadata.snapshot', 'metadata.synced'] as const
const FLOOR = 'metadata.synced'
const TXNS = 30
/** Small enough that a snapshot takes the place of the log a few times. */
const LOG_BYTES_MAX = 1500

type Files = Map<string, Buffer>
type Given = { readonly changed: readonly string[]; readonly files: Files }

export const metadata: Target = {
  name: 'metadata',
  share: 40,
  sessionSize: 1000,
  checkEvery: 1000,
  rssBytesMax: 300 * 2 ** 20,
  seeds: async () => [await makeFiles(LOG_BYTES_MAX), await makeFiles(2 ** 20)],
  generate,
  open: async () => ({ feed, check: async () => {}, close: async () => {} }) satisfies Session,
}

// --- input -------------------------------------------------------------------------------------

/** Key `n` says how many transactions there were, key `k/i` which one wrote it. */
async function makeFiles(logBytesMax: number): Promise<Buffer> {
  const world = createWorld({ seed: 1, logLevel: 'silent' })
  const env = world.env(NODE)
  const write = async () => {
    await env.disk.makeDirectory(DIRECTORY)
    const store = await openEmbeddedStore(env, { directory: DIRECTORY, logBytesMax })
    for (let n = 1; n <= TXNS; n++) await put(store, n)
    await store.close()
    return await readFiles(env)
  }
  const files = await world.complete(write())
  world.close()
  return pack({ changed: [], files })
}

async function put(store: EmbeddedStore, n: number): Promise<void> {
  const ops = [
    { op: 'put', key: 'n', value: String(n) },
    { op: 'put', key: `k/${n % 7}`, value: `${n}`.padEnd(60, 'x') },
  ] as const
  await store.txn([], n % 5 === 0 ? [...ops, { op: 'delete', key: `k/${(n + 1) % 7}` }] : ops, [])
}

function generate(dice: Dice, seeds: readonly Buffer[]): Buffer {
  const { files } = unpack(dice.pick(seeds))
  const changed: string[] = []
  for (let count = dice.chance(0.8) ? 1 : 2; count > 0; count--) {
    const name = dice.pick([...files.keys()])
    const content = files.get(name) as Buffer
    changed.push(name)
    if (dice.chance(0.04)) files.delete(name)
    else files.set(name, mutate(content, dice, [...files.values()]))
    if (files.size === 0) break
  }
  return pack({ changed, files })
}

function pack({ changed, files }: Given): Buffer {
  return Buffer.from(encodeMsgpack([changed, [...files].flat()]))
}

function unpack(input: Uint8Array): Given {
  const [changed, flat] = decodeMsgpack(input) as [string[], (string | Uint8Array)[]]
  const files: Files = new Map()
  for (let index = 0; index < flat.length; index += 2) {
    files.set(flat[index] as string, Buffer.from(flat[index + 1] as Uint8Array))
  }
  return { changed, files }
}

// --- verdict -----------------------------------------------------------------------------------

async function feed(input: Buffer): Promise<string> {
  const world = createWorld({ seed: diceOf(input, 'world').uint32(), logLevel: 'silent' })
  try {
    const given = unpack(input)
    const answer = await opened(world, given)
    if (world.failures.length > 0) throw world.failures[0]
    return answer
  } finally {
    world.close()
  }
}

async function opened(world: World, { changed, files }: Given): Promise<string> {
  const env = world.env(NODE)
  await world.complete(writeFiles(env, files))
  let store: EmbeddedStore
  try {
    store = await world.complete(openEmbeddedStore(env, { directory: DIRECTORY }))
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'StoreDamaged') throw error
    await expectSame(world, files)
    return error.name
  }
  const last = await world.complete(expectAcknowledged(store))
  const floorHolds = !changed.includes(FLOOR)
  if (floorHolds && last < TXNS) throw new Finding(`only ${last} transactions are left, silently`)
  await world.complete(expectKept(env, store))
  return last === TXNS ? ACCEPTED : 'a torn tail'
}

/** The state is that after some transaction, no mixture. Returns which one. */
async function expectAcknowledged(store: EmbeddedStore): Promise<number> {
  const { kvs } = await store.range('')
  const found = new Map(kvs.map(({ key, value }) => [key, value]))
  const last = Number(found.get('n') ?? 0)
  const expected = stateAfter(last)
  for (const key of new Set([...found.keys(), ...expected.keys()])) {
    if (found.get(key) !== expected.get(key)) {
      throw new Finding(`after ${last} transactions ${key} is ${found.get(key)}`)
    }
  }
  return last
}

function stateAfter(last: number): Map<string, string> {
  const state = new Map<string, string>()
  for (let n = 1; n <= last; n++) {
    state.set('n', String(n))
    state.set(`k/${n % 7}`, `${n}`.padEnd(60, 'x'))
    if (n % 5 === 0) state.delete(`k/${(n + 1) % 7}`)
  }
  return state
}

async function expectKept(env: Env, store: EmbeddedStore): Promise<void> {
  await store.txn([], [{ op: 'put', key: 'later', value: '1' }], [])
  const before = await store.range('')
  await store.close()
  const again = await openEmbeddedStore(env, { directory: DIRECTORY })
  const after = await again.range('')
  await again.close()
  if (JSON.stringify(after) !== JSON.stringify(before)) throw new Finding('a transaction is gone')
}

async function expectSame(world: World, files: Files): Promise<void> {
  const now = await world.complete(readFiles(world.env(NODE)))
  for (const [name, content] of files) {
    if (now.get(name)?.equals(content) !== true) throw new Finding(`${name} was changed`)
  }
}

async function readFiles({ disk }: Env): Promise<Files> {
  const files: Files = new Map()
  for (const name of NAMES) {
    const content = await disk.readFile(`${DIRECTORY}/${name}`)
    if (content !== undefined) files.set(name, content)
  }
  return files
}

async function writeFiles({ disk }: Env, files: Files): Promise<void> {
  await disk.makeDirectory(DIRECTORY)
  for (const [name, content] of files) await disk.replaceFile(`${DIRECTORY}/${name}`, content)
}
