// A data directory whose files were changed while nobody looked: logs, indexes, checkpoints, snapshots, metadata.
// Holds: the start ends with a verdict; a record that is read is the one that was written there, and none is missing
// without an error but what no checkpoint covered; the broker that came up takes new records, and stops in order.
import { crc32c } from '@minikafka/platform'
import { type Connection, errorName } from '@minikafka/protocol'
import { createWorld, type World } from '../../src/world/index.ts'
import { batchOf } from '../batches.ts'
import {
  brokerIn,
  COVERED,
  type DataFiles,
  makeDataFiles,
  NODE,
  PARTITIONS,
  pack,
  RECORDS,
  readAll,
  STOPS,
  TOPIC,
  unpack,
  writeAll,
  writtenValue,
} from '../data-files.ts'
import { type Dice, diceOf } from '../dice.ts'
import { mutate } from '../mutate.ts'
import { dial, offsetFor, type Reading, readPartition, topicIdOf } from '../reading.ts'
import { ACCEPTED, Finding, type Session, type Target } from '../target.ts'

/** How a start may be refused. */
const VERDICTS = ['StartError', 'StoreDamaged', 'INCONSISTENT_CLUSTER_ID']
/** How a partition may say that it does not give out its records; it has no leader where committed ones are lost. */
const READ_ERRORS = [
  'KAFKA_STORAGE_ERROR',
  'CORRUPT_MESSAGE',
  'INVALID_RECORD',
  'NOT_LEADER_OR_FOLLOWER',
]
const CHECKSUM_LINE = /crc32c [0-9a-f]{8}\n$/
/** A segment. */
const LOG = /\d{20}\.log$/
const TIMEOUT_MS = 30_000

export const directory: Target = {
  name: 'directory',
  share: 50,
  sessionSize: 500,
  checkEvery: 500,
  rssBytesMax: 400 * 2 ** 20,
  seeds: async () => await Promise.all(STOPS.map(async (stop) => pack(await makeDataFiles(stop)))),
  generate,
  open: async () => session,
}

const session: Session = { feed, check: async () => {}, close: async () => {} }

// --- input -------------------------------------------------------------------------------------

function generate(dice: Dice, seeds: readonly Buffer[]): Buffer {
  const { stop, files } = unpack(dice.pick(seeds))
  const changed: string[] = []
  let forged = false
  for (let count = dice.chance(0.75) ? 1 : 1 + dice.small(4); count > 0; count--) {
    const path = dice.pick([...files.keys()].filter((one) => !changed.includes(one)))
    forged = changeFile(files as Map<string, Buffer>, path, dice) || forged
    changed.push(path)
  }
  return pack({ stop, changed, forged, files })
}

/** True: with a checksum that fits again, as no accident leaves it. */
function changeFile(files: Map<string, Buffer>, path: string, dice: Dice): boolean {
  const content = files.get(path) as Buffer
  if (dice.chance(0.05)) {
    files.delete(path)
    return false
  }
  const others = [...files.values()]
  const mutant = mutate(content, dice, dice.chance(0.1) ? others : [content])
  files.set(path, mutant)
  const summed = CHECKSUM_LINE.exec(mutant.toString('latin1'))
  if (summed === null || !dice.chance(0.15)) return false
  const body = mutant.subarray(0, summed.index)
  const line = `crc32c ${crc32c(body).toString(16).padStart(8, '0')}\n`
  files.set(path, Buffer.concat([body, Buffer.from(line)]))
  return true
}

// --- verdict -----------------------------------------------------------------------------------

async function feed(input: Buffer): Promise<string> {
  const given = unpack(input)
  const world = createWorld({ seed: diceOf(input, 'world').uint32(), logLevel: 'silent' })
  try {
    await world.complete(writeAll(world.env(NODE), given.files))
    world.kill(NODE)
    return await started(world, given)
  } finally {
    world.close()
  }
}

async function started(world: World, given: DataFiles): Promise<string> {
  const broker = brokerIn(world)
  try {
    await broker.start()
  } catch (error) {
    const name = error instanceof Error ? error.name : ''
    if (!VERDICTS.includes(name)) throw error
    await expectLogsKept(world, given)
    return name
  }
  const env = world.start('reader')
  const connection = await world.complete(dial(env, { host: NODE, port: 9092 }))
  const answers: string[] = []
  const topicId = await world.complete(topicIdOf(connection, TOPIC))
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const at = { topicId: topicId ?? '', partition }
    if (topicId === undefined) answers.push(expectMetadataLost(given))
    else answers.push(await look(world, connection, at, given))
  }
  connection.close()
  await broker.stop()
  await world.settled()
  expectNothingLeft(world)
  return answers.find((answer) => answer !== ACCEPTED) ?? ACCEPTED
}

type At = { readonly topicId: string; readonly partition: number }

async function look(
  world: World,
  connection: Connection,
  at: At,
  given: DataFiles,
): Promise<string> {
  const env = world.env('reader')
  const whole = await world.complete(readPartition(env, connection, at))
  expectRight(at.partition, whole)
  expectComplete(at.partition, whole, given)
  for (const from of [RECORDS / 3, RECORDS / 2, RECORDS - 1].map(Math.floor)) {
    if (from < whole.start || from >= whole.next) continue
    expectRight(at.partition, await world.complete(readPartition(env, connection, at, from)))
    const found = await world.complete(offsetFor(connection, at, world.clock.wallMs()))
    if (typeof found === 'string' && !READ_ERRORS.includes(found)) throw new Finding(found)
  }
  if (whole.error === undefined) await expectWritable(world, connection, at, whole.next)
  return whole.error ?? (whole.next === RECORDS ? ACCEPTED : 'a torn tail')
}

/** Never wrong data. */
function expectRight(partition: number, { start, records, error }: Reading): void {
  for (const { offset, value } of records) {
    if (value !== writtenValue(partition, offset)) {
      throw new Finding(`offset ${offset} of ${partition} is ${JSON.stringify(value.slice(0, 20))}`)
    }
  }
  for (const [index, { offset }] of records.entries()) {
    const before = records[index - 1]?.offset ?? start - 1
    if (offset !== before + 1) throw new Finding(`offset ${offset} follows ${before}`)
  }
  if (error !== undefined && !READ_ERRORS.includes(error)) throw new Finding(`refused by ${error}`)
}

/** Of one damaged file: what the checkpoints covered is there, or its absence is an error. */
function expectComplete(partition: number, reading: Reading, given: DataFiles): void {
  const { stop, changed, forged } = given
  if (reading.error !== undefined || forged || changed.length > 1) return
  if (reading.start !== 0) throw new Finding(`the log of ${partition} begins at ${reading.start}`)
  const mayBeCut = stop === 'killed' && changed.some((path) => LOG.test(path))
  const least = mayBeCut ? COVERED : RECORDS
  if (reading.next < least) throw new Finding(`${partition} ends at ${reading.next}, silently`)
}

/** The metadata, too, have a floor. */
function expectMetadataLost({ stop, changed, forged }: DataFiles): string {
  if (changed.length === 1 && !forged && stop !== 'killed') throw new Finding('the topic is gone')
  return 'the topic is gone'
}

async function expectWritable(world: World, connection: Connection, at: At, next: number) {
  const appends = [{ ...at, batch: batchOf(1) }]
  const request = { acks: -1, timeoutMs: 1000, trace: false, appends }
  const call = connection.call('produce', request, { timeoutMs: TIMEOUT_MS })
  const [result] = (await world.complete(call)).results
  if (result?.errorCode !== 0) {
    throw new Finding(`refused to append: ${errorName(result?.errorCode ?? 0)}`)
  }
  if (result.baseOffset !== next) throw new Finding(`appended at ${result.baseOffset}, not ${next}`)
}

/** A start that was refused has cut nothing. */
async function expectLogsKept(world: World, given: DataFiles): Promise<void> {
  const now = await world.complete(readAll(world.env(NODE)))
  for (const [path, content] of given.files) {
    if (!LOG.test(path)) continue
    if (now.get(path)?.equals(content) !== true) throw new Finding(`${path} was changed`)
  }
}

function expectNothingLeft(world: World): void {
  if (world.failures.length > 0) throw world.failures[0]
  const left = world.leftovers().filter((line) => line.startsWith(`${NODE}:`))
  if (left.length > 0) throw new Finding(`left over: ${left.join(', ')}`)
}
