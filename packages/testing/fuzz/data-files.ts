// A whole data directory as one input: what a broker left on its disk, by path, and how it had stopped.
// Enters: a way to stop. Leaves: bytes that can be kept, mutated file by file, and put on another disk.

import { createClient } from '@minikafka/client'
import type { Env } from '@minikafka/platform'
import { decodeMsgpack, encodeMsgpack } from '@minikafka/protocol'
import { BrokerProcess } from '../src/broker-process.ts'
import { createWorld, type World } from '../src/world/index.ts'

export const NODE = 'broker-0'
export const ROOT = '/var/lib/minikafka'
export const TOPIC = 'orders'
export const PARTITIONS = 2
/** Of each partition. */
export const RECORDS = 40
/** Of them, those that every checkpoint covers when the broker was killed right after the last one. */
export const COVERED = 30
/** So that a partition has two segments, and each an entry in its index. */
const SEGMENT_BYTES = 8192
const VALUE_SIZE = 200
const CHECKPOINTS_WRITTEN = '6s'
const SEED = 20_260_101

/** `clean`: marked. `synced`: killed long after the last record. `killed`: killed as soon as it was acknowledged. */
export const STOPS = ['clean', 'synced', 'killed'] as const
export type Stop = (typeof STOPS)[number]

export type DataFiles = {
  readonly stop: Stop
  /** What was changed since, and whether a checksum was made to fit. */
  readonly changed: readonly string[]
  readonly forged: boolean
  readonly files: ReadonlyMap<string, Buffer>
}

/** What the record of that partition and offset holds, so that a reader can tell it from any other. */
export function writtenValue(partition: number, offset: number): string {
  return `${partition}/${offset}/`.padEnd(VALUE_SIZE, 'abcdefghij')
}

export function pack({ stop, changed, forged, files }: DataFiles): Buffer {
  return Buffer.from(encodeMsgpack([stop, changed, forged, [...files].flat()]))
}

export function unpack(input: Uint8Array): DataFiles {
  const [stop, changed, forged, flat] = decodeMsgpack(input) as [
    Stop,
    string[],
    boolean,
    (string | Uint8Array)[],
  ]
  const files = new Map<string, Buffer>()
  for (let index = 0; index < flat.length; index += 2) {
    files.set(flat[index] as string, Buffer.from(flat[index + 1] as Uint8Array))
  }
  return { stop, changed, forged, files }
}

/** The same bytes each time: the seed is fixed. */
export async function makeDataFiles(stop: Stop): Promise<DataFiles> {
  const world = createWorld({ seed: SEED, logLevel: 'silent' })
  const broker = brokerIn(world)
  await broker.start()
  await fill(world)
  if (stop !== 'killed') await world.clock.advance(CHECKPOINTS_WRITTEN)
  if (stop === 'clean') await broker.stop()
  else broker.kill()
  const files = await world.complete(readAll(world.env(NODE)))
  world.close()
  return { stop, changed: [], forged: false, files }
}

export function brokerIn(world: World): BrokerProcess {
  const config = {
    'data.dir': ROOT,
    'node.id': '0',
    host: NODE,
    port: '9092',
    'allow.insecure': 'true',
    'log.level': 'silent',
  }
  return new BrokerProcess(world, {
    node: NODE,
    config: new Map(Object.entries(config)),
    process: {},
  })
}

async function fill(world: World): Promise<void> {
  const client = createClient(world.env('filler'), { brokers: `${NODE}:9092`, logger: false })
  const config = { 'segment.bytes': SEGMENT_BYTES }
  await world.complete(client.admin().createTopic(TOPIC, { partitions: PARTITIONS, config }))
  const producer = client.producer()
  for (let offset = 0; offset < RECORDS; offset++) {
    if (offset === COVERED) await world.clock.advance(CHECKPOINTS_WRITTEN)
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const value = writtenValue(partition, offset)
      await world.complete(producer.send(TOPIC, { partition, value }))
    }
  }
  world.kill('filler')
}

/** Directories and sockets are not files. */
export async function readAll({ disk }: Env): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>()
  const visit = async (path: string) => {
    const kind = (await disk.stat(path))?.kind
    if (kind === 'file') files.set(path, (await disk.readFile(path)) ?? Buffer.alloc(0))
    if (kind !== 'directory') return
    for (const name of await disk.list(path)) await visit(`${path}/${name}`)
  }
  await visit(ROOT)
  return files
}

/** Everything is durable when it resolves. */
export async function writeAll({ disk }: Env, files: ReadonlyMap<string, Buffer>): Promise<void> {
  for (const [path, content] of files) {
    await disk.makeDirectory(path.slice(0, path.lastIndexOf('/')))
    await disk.replaceFile(path, content)
  }
}
