// Every operating error, a row each: code, retriable, what it means, the cure. docs/errors.md is printed from it.
// Codes are Kafka's where Kafka has one; ours are below -1 and name the code that a Kafka client would get instead.

export type ErrorRow = {
  readonly code: number
  /** The same request may succeed later, without a change by the user. */
  readonly retriable: boolean
  /** The client object is of no further use: make a new one. */
  readonly fatal?: boolean
  /** Names of what `details` carries, in wire order. */
  readonly details?: readonly string[]
  /** What a failed write means where the answer does not say. Default: 'not-written'. */
  readonly outcome?: 'unknown'
  /** For ours: the code that a Kafka-wire client gets. */
  readonly kafka?: number
  readonly about: string
  readonly cure: string
}

function defineErrors<const T extends Record<string, ErrorRow>>(rows: T): T {
  return rows
}

export const errors = defineErrors({
  UNKNOWN_SERVER_ERROR: {
    code: -1,
    retriable: false,
    outcome: 'unknown',
    about: 'The broker met something it did not expect.',
    cure: 'Look into the log of the broker at the time of the request, and report it.',
  },
  OFFSET_OUT_OF_RANGE: {
    code: 1,
    retriable: false,
    details: ['logStartOffset', 'logEndOffset'],
    about: 'The offset is below the log start or above the log end.',
    cure: 'Start again from the earliest, the latest, or a time.',
  },
  CORRUPT_MESSAGE: {
    code: 2,
    retriable: true,
    about: 'The checksum of a batch does not fit its bytes.',
    cure: 'Send it again. If it comes back, suspect memory, network or disk between the two.',
  },
  UNKNOWN_TOPIC_OR_PARTITION: {
    code: 3,
    retriable: true,
    about: 'There is no such topic, or it has no such partition.',
    cure: 'Check the name, create the topic, or refresh the metadata.',
  },
  LEADER_NOT_AVAILABLE: {
    code: 5,
    retriable: true,
    about: 'The partition has no leader at the moment.',
    cure: 'Try again; if it stays, see which of its replicas are down.',
  },
  NOT_LEADER_OR_FOLLOWER: {
    code: 6,
    retriable: true,
    details: ['leaderId', 'leaderEpoch'],
    about: 'This broker does not lead the partition.',
    cure: 'Refresh the metadata and ask the leader.',
  },
  REQUEST_TIMED_OUT: {
    code: 7,
    retriable: true,
    outcome: 'unknown',
    about: 'The request was not done in the time given.',
    cure: 'Try again, with more time. A write may have happened.',
  },
  MESSAGE_TOO_LARGE: {
    code: 10,
    retriable: false,
    details: ['max'],
    about: 'The batch is larger than max.message.bytes of the topic.',
    cure: 'Send smaller records, or raise max.message.bytes.',
  },
  OFFSET_METADATA_TOO_LARGE: {
    code: 12,
    retriable: false,
    details: ['max'],
    about: 'The words committed with an offset are longer than 4,096 bytes.',
    cure: 'Keep them short; data belongs into a topic.',
  },
  NETWORK_EXCEPTION: {
    code: 13,
    retriable: true,
    outcome: 'unknown',
    about: 'The connection was lost before the answer came.',
    cure: 'Try again. A write may have happened.',
  },
  COORDINATOR_LOAD_IN_PROGRESS: {
    code: 14,
    retriable: true,
    about: 'The coordinator is reading its groups from __consumer_offsets.',
    cure: 'Try again in a moment; the client does so by itself.',
  },
  COORDINATOR_NOT_AVAILABLE: {
    code: 15,
    retriable: true,
    about: 'The coordinator, or the block of producer ids, cannot be had right now.',
    cure: 'Try again in a moment.',
  },
  NOT_COORDINATOR: {
    code: 16,
    retriable: true,
    about: 'This broker does not look after the group.',
    cure: 'Ask FindCoordinator; the client does so by itself.',
  },
  INVALID_TOPIC_EXCEPTION: {
    code: 17,
    retriable: false,
    about: 'This is not a legal topic name.',
    cure: 'Use 1 to 249 of a-z A-Z 0-9 . _ - and neither "." nor "..".',
  },
  NOT_ENOUGH_REPLICAS: {
    code: 19,
    retriable: true,
    about: 'Fewer replicas are in sync than min.insync.replicas; nothing was written.',
    cure: 'Try again when the brokers are back.',
  },
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: {
    code: 20,
    retriable: true,
    outcome: 'unknown',
    about: 'Written, but fewer replicas than min.insync.replicas have it.',
    cure: 'Try again when the brokers are back; an idempotent producer writes it once.',
  },
  INVALID_REQUIRED_ACKS: {
    code: 21,
    retriable: false,
    about: 'acks must be -1 (all), 0 or 1.',
    cure: 'Use one of them.',
  },
  INVALID_GROUP_ID: {
    code: 24,
    retriable: false,
    about: 'This is not a legal group id.',
    cure: 'Use 1 to 1,024 bytes.',
  },
  UNKNOWN_MEMBER_ID: {
    code: 25,
    retriable: false,
    about: 'The group does not know this member: it left, was fenced, or never joined.',
    cure: 'The consumer joins anew by itself; a commit that got this is lost, and its records come again.',
  },
  INVALID_COMMIT_OFFSET_SIZE: {
    code: 28,
    retriable: false,
    details: ['max'],
    about: 'The commit or deletion is larger than __consumer_offsets takes in one batch.',
    cure: 'Name fewer partitions at a time.',
  },
  TOPIC_AUTHORIZATION_FAILED: {
    code: 29,
    retriable: false,
    about: 'This principal may not do that with this topic.',
    cure: 'Ask for the right, or leave the internal topics to the brokers.',
  },
  CLUSTER_AUTHORIZATION_FAILED: {
    code: 31,
    retriable: false,
    about: 'Only brokers of the cluster may do that.',
    cure: 'Use the API for clients.',
  },
  INVALID_TIMESTAMP: {
    code: 32,
    retriable: false,
    details: ['min', 'max'],
    about: 'A timestamp is outside what the topic accepts.',
    cure: 'Check the clock of the producer; see message.timestamp.before.max.ms and .after.max.ms.',
  },
  UNSUPPORTED_VERSION: {
    code: 35,
    retriable: false,
    details: ['min', 'max'],
    about: 'The broker does not speak this version of the API, or not this API.',
    cure: 'Upgrade the older of the two.',
  },
  TOPIC_ALREADY_EXISTS: {
    code: 36,
    retriable: false,
    about: 'There is a topic of that name.',
    cure: 'Use it, or take another name.',
  },
  INVALID_PARTITIONS: {
    code: 37,
    retriable: false,
    about: 'The number of partitions is not possible.',
    cure: 'At least 1; a topic can only grow.',
  },
  INVALID_REPLICATION_FACTOR: {
    code: 38,
    retriable: false,
    about: 'The replication factor is below 1 or above the number of brokers.',
    cure: 'Choose one in between, or add brokers.',
  },
  INVALID_CONFIG: {
    code: 40,
    retriable: false,
    details: ['key'],
    about: 'A setting is unknown or its value is not possible.',
    cure: 'See docs/config.md for its type and range.',
  },
  NOT_CONTROLLER: {
    code: 41,
    retriable: true,
    about: 'This broker is not the controller of the cluster.',
    cure: 'Refresh the metadata and ask the controller.',
  },
  INVALID_REQUEST: {
    code: 42,
    retriable: false,
    about: 'The request breaks the rules of the protocol; the path names the field.',
    cure: 'A fault of the client software: report it there, see docs/protocol.md.',
  },
  POLICY_VIOLATION: {
    code: 44,
    retriable: false,
    about: 'The request is above a limit that the broker sets.',
    cure: 'Ask for less, or raise the limit.',
  },
  OUT_OF_ORDER_SEQUENCE_NUMBER: {
    code: 45,
    retriable: false,
    about: 'A batch of an idempotent producer does not follow the last one.',
    cure: 'The client resolves it; if it reaches you, records before this one failed.',
  },
  INVALID_PRODUCER_EPOCH: {
    code: 47,
    retriable: false,
    about: 'A newer producer with the same id is at work.',
    cure: 'Make a new producer; if this comes back, two of them share an id.',
  },
  KAFKA_STORAGE_ERROR: {
    code: 56,
    retriable: true,
    about: 'The disk of the broker failed for this partition.',
    cure: 'See the log of the broker; mend or replace the disk.',
  },
  UNKNOWN_PRODUCER_ID: {
    code: 59,
    retriable: false,
    about: 'The broker knows nothing of this producer id, and the batch is not its first.',
    cure: 'The client takes a new epoch by itself.',
  },
  NON_EMPTY_GROUP: {
    code: 68,
    retriable: false,
    about: 'The group has members.',
    cure: 'Stop its consumers first, or remove its members.',
  },
  GROUP_ID_NOT_FOUND: {
    code: 69,
    retriable: false,
    about: 'There is no such group.',
    cure: 'Check the name; list the groups.',
  },
  FETCH_SESSION_ID_NOT_FOUND: {
    code: 70,
    retriable: true,
    about: 'The broker does not know this fetch session.',
    cure: 'Fetch without one; the client does so by itself.',
  },
  FENCED_LEADER_EPOCH: {
    code: 74,
    retriable: true,
    about: 'The leader epoch asked with is older than the broker knows.',
    cure: 'Refresh the metadata.',
  },
  UNKNOWN_LEADER_EPOCH: {
    code: 75,
    retriable: true,
    about: 'The leader epoch asked with is newer than the broker knows.',
    cure: 'Try again: the broker will learn of it.',
  },
  UNSUPPORTED_COMPRESSION_TYPE: {
    code: 76,
    retriable: false,
    about: 'The batch names a compression that does not exist.',
    cure: 'Use none, gzip, snappy, lz4 or zstd.',
  },
  OFFSET_NOT_AVAILABLE: {
    code: 78,
    retriable: true,
    about: 'The new leader does not yet know how far the log is committed.',
    cure: 'Try again in a moment.',
  },
  GROUP_MAX_SIZE_REACHED: {
    code: 81,
    retriable: false,
    details: ['max'],
    about: 'The group has as many members as group.max.size allows.',
    cure: 'Run fewer consumers, or raise group.max.size.',
  },
  FENCED_INSTANCE_ID: {
    code: 82,
    retriable: false,
    fatal: true,
    about: 'Another consumer took over this instanceId.',
    cure: 'Give each consumer an instanceId of its own, and make a new consumer.',
  },
  GROUP_SUBSCRIBED_TO_TOPIC: {
    code: 86,
    retriable: false,
    about: 'A member of the group subscribes to the topic.',
    cure: 'Stop the consumers of that topic first.',
  },
  INVALID_RECORD: {
    code: 87,
    retriable: false,
    about: 'A batch contradicts itself or the rules of the topic.',
    cure: 'A fault of the producing software: see the message for the field.',
  },
  THROTTLING_QUOTA_EXCEEDED: {
    code: 89,
    retriable: true,
    about: 'Too much at once.',
    cure: 'Slow down and try again.',
  },
  UNKNOWN_TOPIC_ID: {
    code: 100,
    retriable: true,
    about: 'No topic has this id: it was deleted, perhaps made again under the same name.',
    cure: 'Refresh the metadata; records for the old topic are not written to the new one.',
  },
  DUPLICATE_BROKER_REGISTRATION: {
    code: 101,
    retriable: false,
    about: 'Another broker is at work under this id.',
    cure: 'Give each broker its own node.id.',
  },
  INCONSISTENT_CLUSTER_ID: {
    code: 104,
    retriable: false,
    about: 'The data directory belongs to another cluster.',
    cure: 'Start the broker with the metadata store, or the data directory, that it had before.',
  },
  FENCED_MEMBER_EPOCH: {
    code: 110,
    retriable: false,
    about:
      'The member speaks with an epoch that is not its own: it was fenced, or another one speaks for it.',
    cure: 'The consumer drops what it holds and joins anew by itself.',
  },
  UNRELEASED_INSTANCE_ID: {
    code: 111,
    retriable: true,
    about: 'Another consumer with this instanceId is still in the group.',
    cure: 'Stop it, or wait until its session ends.',
    details: ['sessionTimeoutMs'],
  },
  UNSUPPORTED_ASSIGNOR: {
    code: 112,
    retriable: false,
    about: 'There is no such assignor.',
    cure: 'Use range, roundrobin or sticky.',
  },
  STALE_MEMBER_EPOCH: {
    code: 113,
    retriable: false,
    about: 'The commit comes from a time before the member got, or after it lost, the partition.',
    cure: 'Send a heartbeat, then commit what is still owned; the client does so by itself.',
  },
  INVALID_REGULAR_EXPRESSION: {
    code: 128,
    retriable: false,
    about: 'The pattern is not an RE2 expression.',
    cure: 'Mend it; look-around and back-references are not in RE2.',
  },
  FRAME_TOO_LARGE: {
    code: -2,
    retriable: false,
    details: ['max'],
    kafka: 42,
    about: 'A frame announces more bytes than the receiver reads.',
    cure: 'Send less in one request; if the peer is not minikafka, check host and port.',
  },
  STORAGE_FULL: {
    code: -3,
    retriable: true,
    kafka: 56,
    about: 'The disk of the broker is nearly full; nothing was written.',
    cure: 'Free space, add disk, or shorten the retention; the producer keeps trying.',
  },
  CLOSED: {
    code: -100,
    retriable: false,
    about: 'The client, producer or consumer is closed.',
    cure: 'Make a new one, or close it later.',
  },
  BUSY: {
    code: -101,
    retriable: false,
    about: 'The consumer is being read in another way already.',
    cure: 'One reading mode at a time: end the other loop first.',
  },
  INVALID_OPTION: {
    code: -102,
    retriable: false,
    about: 'An option is unknown or its value is not possible.',
    cure: 'The message names it and the nearest one there is.',
  },
  BUFFER_FULL: {
    code: -103,
    retriable: true,
    about: 'The buffer of the producer is full.',
    cure: 'Await drained() before you push on, or raise maxBufferedBytes.',
  },
  DELIVERY_TIMED_OUT: {
    code: -104,
    retriable: false,
    outcome: 'unknown',
    about: 'A record was not acknowledged within deliveryTimeoutMs.',
    cure: 'See `cause` for what kept it and `outcome` for whether it may yet be there.',
  },
  SERIALIZATION_FAILED: {
    code: -105,
    retriable: false,
    about: 'A key or value could not be encoded.',
    cure: 'See `cause`; the record was not sent.',
  },
  DESERIALIZATION_FAILED: {
    code: -106,
    retriable: false,
    about: 'A key or value could not be decoded.',
    cure: 'See `cause`; choose what happens to such records with onError.',
  },
  SCHEMA_MISMATCH: {
    code: -107,
    retriable: false,
    about: 'A value does not fit the schema of the topic.',
    cure: 'See `issues`.',
  },
  HANDLER_FAILED: {
    code: -108,
    retriable: false,
    about: 'Your handler threw, and the policy says stop.',
    cure: 'See `cause`; choose another policy with onError.',
  },
  PROTOCOL_VIOLATION: {
    code: -109,
    retriable: false,
    outcome: 'unknown',
    about: 'The peer answered something that is not in the protocol.',
    cure: 'Check that host and port are those of a minikafka broker.',
  },
  PARTIAL_FAILURE: {
    code: -110,
    retriable: false,
    about: 'Some of the records failed.',
    cure: 'See `results`, in the order of the input.',
  },
  BROKER_UNREACHABLE: {
    code: -111,
    retriable: true,
    about: 'No connection to a broker could be made.',
    cure: 'Check that it runs and that host and port are right.',
  },
  TIMED_OUT: {
    code: -112,
    retriable: false,
    about: 'The wait was longer than its timeoutMs.',
    cure: 'Give it more time, or look at what it waits for.',
  },
})

export type ErrorName = keyof typeof errors

const namesByCode = new Map<number, ErrorName>(
  Object.entries(errors).map(([name, row]) => [row.code, name as ErrorName]),
)

export function errorRow(name: ErrorName): ErrorRow {
  return errors[name]
}

/** The name of a code; a code that this version does not know is an UNKNOWN_SERVER_ERROR. */
export function errorName(code: number): ErrorName {
  return namesByCode.get(code) ?? 'UNKNOWN_SERVER_ERROR'
}

export function errorCode(name: ErrorName | 'NONE'): number {
  return name === 'NONE' ? 0 : errors[name].code
}

export type ErrorFields = {
  /** What is wrong here and what to do; the table's sentences otherwise. */
  message?: string | undefined
  outcome?: 'not-written' | 'unknown' | undefined
  topic?: string | undefined
  partition?: number | undefined
  offset?: number | undefined
  broker?: string | undefined
  path?: string | undefined
  details?: Readonly<Record<string, unknown>> | undefined
  issues?: readonly { message: string; path?: readonly PropertyKey[] }[] | undefined
}

const BRAND = Symbol.for('minikafka.error')

/** Every operating error that is thrown. Match by `name`, never by text. */
export class MinikafkaError extends Error {
  declare name: ErrorName
  declare readonly code: number
  declare readonly retriable: boolean
  declare readonly fatal: boolean
  declare readonly outcome?: 'not-written' | 'unknown'
  declare readonly topic?: string
  declare readonly partition?: number
  declare readonly offset?: number
  declare readonly broker?: string
  declare readonly path?: string
  declare readonly details?: Readonly<Record<string, unknown>>
  declare readonly issues?: readonly { message: string; path?: readonly PropertyKey[] }[]

  constructor(name: ErrorName, fields: ErrorFields = {}, options?: ErrorOptions) {
    const { message, ...rest } = fields
    const row: ErrorRow = errors[name]
    super(message ?? `${row.about} ${row.cure}`, options)
    Object.defineProperty(this, BRAND, { value: true })
    this.name = name
    this.code = row.code
    this.retriable = row.retriable
    this.fatal = row.fatal ?? false
    // Absent fields are no properties: exactOptionalPropertyTypes, and a short print.
    for (const [key, value] of Object.entries(rest)) {
      if (value !== undefined) Object.assign(this, { [key]: value })
    }
  }
}

/** By brand: holds across two copies of this package. */
export function isMinikafkaError(error: unknown): error is MinikafkaError {
  return typeof error === 'object' && error !== null && BRAND in error
}
