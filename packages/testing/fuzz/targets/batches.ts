// Record batches whose headers lie, with a CRC that fits: every field at 0, -1, its bounds and beside its own value.
// Holds: an answer from SECURITY's catalogue; what is appended is what was sent, and no nonsense by rules written here
// a second time.
import { crc32c } from '@minikafka/platform'
import { Connection, errorName } from '@minikafka/protocol'
import {
  batchOf,
  CODECS,
  HEADER_FIELDS,
  type HeaderField,
  prepareCodecs,
  summed,
  withLength,
} from '../batches.ts'
import { BrokerStage } from '../broker-stage.ts'
import type { Dice } from '../dice.ts'
import { mutate } from '../mutate.ts'
import { ACCEPTED, Finding, type Session, type Target } from '../target.ts'

const REFUSALS = [
  'INVALID_RECORD',
  'CORRUPT_MESSAGE',
  'INVALID_TIMESTAMP',
  'UNSUPPORTED_COMPRESSION_TYPE',
  'MESSAGE_TOO_LARGE',
  'INVALID_PRODUCER_EPOCH',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
]
const TIMEOUT_MS = 10_000
const HOUR_MS = 3_600_000

export const batches: Target = {
  name: 'batches',
  share: 100,
  sessionSize: 1000,
  checkEvery: 250,
  rssBytesMax: 300 * 2 ** 20,
  seeds,
  generate,
  open: async (seed) => await BatchSession.open(seed),
}

async function seeds(): Promise<readonly Buffer[]> {
  await prepareCodecs()
  const compressed = CODECS.map((compression) => batchOf(40, { compression }))
  return [batchOf(1), batchOf(5), batchOf(3, { producerId: 4 }), ...compressed]
}

function generate(dice: Dice, seeds: readonly Buffer[]): Buffer {
  let batch: Buffer = Buffer.from(dice.pick(seeds))
  if (dice.chance(0.15)) batch = mutate(batch, dice, seeds)
  else {
    const names = Object.keys(HEADER_FIELDS) as HeaderField[]
    for (let count = dice.small(4); count > 0; count--) putField(batch, dice.pick(names), dice)
  }
  if (dice.chance(0.5)) withLength(batch)
  return dice.chance(0.92) ? summed(batch) : batch
}

function putField(batch: Buffer, name: HeaderField, dice: Dice): void {
  const [at, width] = HEADER_FIELDS[name]
  const bits = BigInt(8 * width)
  const own = BigInt.asIntN(8 * width, BigInt(`0x${batch.toString('hex', at, at + width)}`))
  const max = (1n << (bits - 1n)) - 1n
  const values = [0n, -1n, 1n, max, -max - 1n, own + 1n, own - 1n, own << 1n, 1n << 53n, -2n, -5n]
  let value = BigInt.asUintN(8 * width, dice.pick(values))
  if (dice.chance(0.1)) value = own ^ (1n << BigInt(dice.below(8 * width)))
  const hex = BigInt.asUintN(8 * width, value)
    .toString(16)
    .padStart(2 * width, '0')
  batch.write(hex, at, 'hex')
}

class BatchSession implements Session {
  readonly #stage: BrokerStage
  readonly #connection: Connection
  #endOffset = 0

  static async open(seed: number): Promise<BatchSession> {
    const stage = await BrokerStage.open(seed)
    const who = { clientName: 'stranger', clientVersion: '1', clientId: 'stranger' }
    const options = { ...stage.address, ...who, timeoutMs: TIMEOUT_MS }
    return new BatchSession(stage, await stage.run(Connection.open(stage.env, options)))
  }

  private constructor(stage: BrokerStage, connection: Connection) {
    this.#stage = stage
    this.#connection = connection
  }

  async feed(input: Buffer): Promise<string> {
    const sent = Buffer.from(input)
    const { errorCode, baseOffset, written } = await this.#produce(input)
    this.#stage.expectNoSurprise()
    if (errorCode !== 0) return this.#refused(errorName(errorCode), written)
    const lie = nonsenseIn(sent, this.#stage.env.clock.wallMs())
    if (lie !== undefined) throw new Finding(`${lie} was appended`)
    // A batch that a producer repeats is acknowledged where it stands.
    if (baseOffset < this.#endOffset) return 'a repeated batch'
    await this.#expectKept(sent, baseOffset)
    return ACCEPTED
  }

  async #produce(batch: Buffer) {
    const appends = [{ topicId: this.#stage.topicId, partition: 0, batch }]
    const request = { acks: -1, timeoutMs: 1000, trace: false, appends }
    const call = this.#connection.call('produce', request, { timeoutMs: TIMEOUT_MS })
    const [result] = (await this.#stage.run(call)).results
    if (result === undefined) throw new Finding('one batch was sent and none was answered')
    return result
  }

  #refused(name: string, written: number): string {
    if (!REFUSALS.includes(name)) throw new Finding(`refused with ${name}`)
    if (written !== 0) throw new Finding(`${name} says that it may be written`)
    return name
  }

  /** The log grew by this batch, byte for byte but for what the broker stamps outside the CRC. */
  async #expectKept(sent: Buffer, baseOffset: number): Promise<void> {
    if (baseOffset !== this.#endOffset) throw new Finding(`offset ${baseOffset} was given`)
    const { records, highWatermark } = await this.#fetch(baseOffset)
    const kept = Buffer.concat(records)
    const isSame =
      kept.length === sent.length &&
      kept.subarray(8, 12).equals(sent.subarray(8, 12)) &&
      kept.subarray(16).equals(sent.subarray(16))
    if (!isSame) throw new Finding('what is in the log is not what was sent')
    const { at } = fieldsOf(sent)
    this.#endOffset += Number(at('recordCount'))
    if (highWatermark !== this.#endOffset) throw new Finding(`the log ends at ${highWatermark}`)
  }

  async #fetch(fetchOffset: number) {
    const maxBytes = 1
    const asked = {
      lastFetchedEpoch: -1,
      durableOffset: -1,
      logStartOffset: -1,
      leaderEpoch: -1,
      suspectOffset: -1,
    }
    const { topicId } = this.#stage
    const call = this.#connection.call(
      'fetch',
      {
        ...{ replicaId: -1, brokerEpoch: -1, sessionId: 0, sessionEpoch: -1, rack: '' },
        ...{ isolation: 0, maxWaitMs: 0, minBytes: 0, maxBytes },
        partitions: [{ topicId, partition: 0, fetchOffset, maxBytes, ...asked }],
      },
      { timeoutMs: TIMEOUT_MS },
    )
    const [result] = (await this.#stage.run(call)).results
    if (result?.errorCode !== 0) throw new Finding(`not read back: ${result?.errorMessage}`)
    return result
  }

  check(): Promise<void> {
    return this.#stage.check()
  }

  async close(): Promise<void> {
    this.#connection.close()
    await this.#stage.close()
  }
}

function fieldsOf(batch: Buffer) {
  const at = (name: HeaderField) => {
    const [position, width] = HEADER_FIELDS[name]
    return BigInt.asIntN(
      8 * width,
      BigInt(`0x${batch.toString('hex', position, position + width)}`),
    )
  }
  return { at }
}

/** Rows 39 to 47 of the catalogue, once more; undefined: it makes sense. */
function nonsenseIn(batch: Buffer, nowMs: number): string | undefined {
  const { at } = fieldsOf(batch)
  const attributes = at('attributes')
  const hasId = at('producerId') !== -1n
  const rules: readonly [boolean, string][] = [
    [at('length') + 12n === BigInt(batch.length), 'a wrong length'],
    [at('magic') === 2n, 'a wrong magic'],
    [crc32c(batch.subarray(21)) === batch.readUInt32BE(17), 'a wrong CRC'],
    [at('baseOffset') === 0n, 'a base offset'],
    [at('recordCount') >= 1n, 'a batch without records'],
    [at('lastOffsetDelta') === at('recordCount') - 1n, 'a wrong count'],
    [(attributes & 7n) <= 4n, 'an unknown codec'],
    [(attributes & ~0x17n) === 0n, 'a control, append-time or reserved bit'],
    [(attributes & 0x10n) === 0n || hasId, 'a transactional batch without a producer'],
    [at('baseTimestamp') >= -1n && at('maxTimestamp') >= at('baseTimestamp'), 'times out of order'],
    [at('maxTimestamp') <= BigInt(nowMs + HOUR_MS), 'a time of the future'],
    [at('producerId') >= -1n && at('producerId') < 1n << 53n, 'a wrong producer id'],
    [!hasId || at('producerEpoch') >= 0n, 'a wrong producer epoch'],
    [!hasId || at('baseSequence') >= 0n, 'a wrong sequence'],
  ]
  return rules.find(([holds]) => !holds)?.[1]
}
