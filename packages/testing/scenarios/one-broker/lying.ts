// A client that lies: batches that contradict themselves, over a connection that is in order otherwise. Each must be refused
// for certain; what is appended all the same shows as a phantom or as a gap (trap T14).
// Enters: the plan. Leaves: refusals.
import { crc32c, type Env, sleep } from '@minikafka/platform'
import { BatchWriter, Connection, errorName, isMinikafkaError } from '@minikafka/protocol'
import type { PartitionFacts } from 'minikafka-broker'
import { BROKER, PORT } from '../stage/daemon.ts'
import { Dice } from '../stage/dice.ts'
import { Violation } from '../stage/violation.ts'
import type { Stage } from './stage.ts'

const NODE = 'liar'
const TIMEOUT_MS = 3000
const WHO = { clientName: NODE, clientVersion: '0', clientId: NODE }
/** Positions in the header of a batch, format v2. */
const AT = {
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  maxTimestamp: 35,
  recordCount: 57,
}
const CONTROL_BIT = 0x20

/** Until the faults are over. */
export async function lie(stage: Stage, meanMs: number): Promise<void> {
  const dice = new Dice(stage.plan.seed, NODE)
  for (;;) {
    await Promise.race([sleep(stage.world.clock, dice.waitMs(meanMs)), stage.healed])
    if (stage.isHealing()) return
    const partitions =
      stage.daemon.broker?.partitions().filter(({ offline }) => offline === undefined) ?? []
    if (partitions.length === 0) continue
    try {
      await lieOnce(stage, dice.pick(partitions), dice.pick(Object.keys(lies)))
    } catch (error) {
      if (!isMinikafkaError(error)) throw error
    }
  }
}

async function lieOnce(
  { world, timeline }: Stage,
  { topic, topicId, partition }: PartitionFacts,
  kind: string,
) {
  const env = world.env(NODE)
  const connection = await Connection.open(env, {
    host: BROKER,
    port: PORT,
    ...WHO,
    timeoutMs: TIMEOUT_MS,
  })
  try {
    const batch = soundBatch(env)
    lies[kind]?.(batch)
    if (kind !== 'crc') batch.writeUInt32BE(crc32c(batch.subarray(AT.attributes)), AT.crc)
    const request = {
      transactionalId: null,
      acks: -1,
      timeoutMs: TIMEOUT_MS,
      trace: false,
      appends: [{ topicId, partition, batch }],
    }
    const { results } = await connection.call('produce', request, { timeoutMs: TIMEOUT_MS })
    timeline.count('lies')
    for (const { errorCode, written } of results) {
      if (errorCode !== 0 && written === 0) continue
      throw new Violation(
        'nonsense',
        `a batch with a wrong ${kind} for ${topic}-${partition} was answered ${errorCode === 0 ? 'with success' : errorName(errorCode)}, written ${written}`,
      )
    }
  } finally {
    connection.close()
  }
}

function soundBatch(env: Env): Buffer {
  const writer = new BatchWriter(Buffer.alloc(1024))
  for (const value of ['a lie', 'and another'])
    writer.tryAppend(env.clock.wallMs(), null, value, undefined)
  return writer.seal(env.compress, {
    compression: 'none',
    producerId: -1,
    producerEpoch: -1,
    baseSequence: -1,
  })
}

const lies: Readonly<Record<string, (batch: Buffer) => void>> = {
  'last offset delta': (batch) => batch.writeInt32BE(7, AT.lastOffsetDelta),
  'record count': (batch) => batch.writeInt32BE(5, AT.recordCount),
  crc: (batch) => batch.writeUInt32BE((batch.readUInt32BE(AT.crc) ^ 1) >>> 0, AT.crc),
  magic: (batch) => batch.writeInt8(1, AT.magic),
  'base offset': (batch) => batch.writeBigInt64BE(5n, 0),
  'control bit': (batch) =>
    batch.writeInt16BE(batch.readInt16BE(AT.attributes) | CONTROL_BIT, AT.attributes),
  'max timestamp': (batch) => batch.writeBigInt64BE(2n ** 62n, AT.maxTimestamp),
}
