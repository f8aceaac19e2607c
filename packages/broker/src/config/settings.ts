// Every setting, a row each. Flags, variables, file keys, checks, help and docs/config.md are derived from these rows.
// Names are Kafka's where Kafka has one; `topic` is the name under which a topic may set its own value.

const KiB = 1024
const MiB = 1024 * KiB
const GiB = 1024 * MiB
const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const INT_MAX = 2 ** 31 - 1

type RowBase = {
  /** Name of the topic setting that overrides this one. */
  readonly topic?: string
  /** True: may be changed while the broker runs. Rows with a topic's name always may. */
  readonly dynamic?: boolean
  readonly about: string
}
type NumberRow = RowBase & {
  readonly type: 'int' | 'ratio' | 'bytes' | 'duration'
  readonly default: number
  readonly range: readonly [number, number]
  /** What one value below or outside the range stands for, e.g. -1 = no limit. */
  readonly special?: { readonly value: number; readonly text: string }
}
type TextRow = RowBase & { readonly type: 'text'; readonly default: string }
type FlagRow = RowBase & { readonly type: 'boolean'; readonly default: boolean }
type ChoiceRow = RowBase & {
  readonly type: 'choice'
  readonly default: string
  readonly choices: readonly string[]
}
export type Row = NumberRow | TextRow | FlagRow | ChoiceRow

function defineSettings<const T extends { readonly [name: string]: Row }>(rows: T): T {
  return rows
}

const noLimit = { value: -1, text: 'no limit' } as const

export const settings = defineSettings({
  'data.dir': {
    type: 'text',
    default: './minikafka-data',
    about: 'Where everything is kept. Created with mode 0700 and locked while the broker runs.',
  },
  listeners: {
    type: 'text',
    default: '',
    about:
      'name=host:port,… to listen on several addresses; empty: one listener `default` at host and port.',
  },
  host: { type: 'text', default: '127.0.0.1', about: 'Address of the listener `default`.' },
  port: {
    type: 'int',
    default: 9092,
    range: [0, 65_535],
    about:
      'Port of the listener `default`; 0 takes any free port, which the ready line then names.',
  },
  advertised: {
    type: 'text',
    default: '',
    dynamic: true,
    about:
      'name=host:port,… that clients shall dial (without a name: of the listener `default`); empty: as they dialled.',
  },
  'node.id': {
    type: 'int',
    default: 1,
    range: [0, INT_MAX],
    about: 'Id of this broker in its cluster.',
  },
  rack: { type: 'text', default: '', about: 'Where this broker stands.' },
  'log.level': {
    type: 'choice',
    default: 'info',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    dynamic: true,
    about: 'Least level that is logged.',
  },
  'log.format': {
    type: 'choice',
    default: 'auto',
    choices: ['auto', 'pretty', 'json'],
    about: 'auto: pretty on stderr where that is a terminal, else JSON lines on stdout.',
  },
  'allow.insecure': {
    type: 'boolean',
    default: false,
    about:
      'Allows listeners beyond loopback without TLS and authentication. Warned about at each start.',
  },
  'memory.max.bytes': {
    type: 'bytes',
    default: 256 * MiB,
    range: [64 * MiB, 2 ** 50],
    about: 'One budget for request frames, unsent answers, read buffers and the in-memory tail.',
  },
  'disk.reserve.bytes': {
    type: 'bytes',
    default: -1,
    range: [0, 2 ** 50],
    special: { value: -1, text: '5 % of the disk, at most 1 GiB' },
    dynamic: true,
    about: 'With less space free, produce is refused with STORAGE_FULL; reads go on.',
  },
  'max.connections': {
    type: 'int',
    default: 10_000,
    range: [1, 1_000_000],
    dynamic: true,
    about: 'Open connections of one listener.',
  },
  'max.connections.per.ip': {
    type: 'int',
    default: 1_000,
    range: [1, 1_000_000],
    dynamic: true,
    about: 'Open connections from one address to one listener.',
  },
  'connections.max.idle.ms': {
    type: 'duration',
    default: 10 * MINUTE,
    range: [SECOND, DAY],
    about: 'A connection that says nothing for so long is closed.',
  },
  'socket.request.max.bytes': {
    type: 'bytes',
    default: 16 * MiB,
    range: [128 * KiB, 128 * MiB],
    about: 'Largest frame that is read; at least message.max.bytes + 64 KiB.',
  },
  'max.requests.in.flight.per.connection': {
    type: 'int',
    default: 100,
    range: [1, 10_000],
    about: 'Requests read ahead of their answers on one connection.',
  },
  'first.frame.timeout.ms': {
    type: 'duration',
    default: 10 * SECOND,
    range: [100, HOUR],
    about: 'A new connection must have said hello by then.',
  },
  'frame.timeout.ms': {
    type: 'duration',
    default: 10 * SECOND,
    range: [100, HOUR],
    about: 'From first byte to whole frame, plus one second for each 64 kB of it.',
  },
  'unsent.max.bytes.per.connection': {
    type: 'bytes',
    default: 32 * MiB,
    range: [MiB, GiB],
    about: 'Above so many unsent bytes of answers, a connection is not read.',
  },
  'slow.reader.timeout.ms': {
    type: 'duration',
    default: 60 * SECOND,
    range: [SECOND, HOUR],
    about: 'A connection that takes none of its answers for so long is closed.',
  },
  'auto.create.topics.enable': {
    type: 'boolean',
    default: false,
    dynamic: true,
    about: 'Make a topic when a client asks for one that does not exist.',
  },
  'num.partitions': {
    type: 'int',
    default: 1,
    range: [1, 10_000],
    dynamic: true,
    about: 'Partitions of a topic that is made without a number.',
  },
  'default.replication.factor': {
    type: 'int',
    default: -1,
    range: [1, 7],
    special: { value: -1, text: '3, or the number of brokers where that is smaller' },
    dynamic: true,
    about: 'Copies of a partition of a topic that is made without a number.',
  },
  'max.partitions': {
    type: 'int',
    default: 10_000,
    range: [1, 1_000_000],
    dynamic: true,
    about: 'Partitions of all topics together; more are refused with POLICY_VIOLATION.',
  },
  'min.insync.replicas': {
    topic: 'min.insync.replicas',
    type: 'int',
    default: -1,
    range: [1, 7],
    special: { value: -1, text: 'the majority of the replication factor' },
    about: 'With fewer replicas in sync, produce with acks=all is refused.',
  },
  flush: {
    topic: 'flush',
    type: 'choice',
    default: 'group',
    choices: ['group', 'interval', 'os'],
    about:
      'group: nothing is committed before an fdatasync covers it. interval: committed at once, synced every flush.ms; a power cut loses what came since. os: the system writes when it likes; a power cut loses up to about 30 s.',
  },
  'log.flush.interval.ms': {
    topic: 'flush.ms',
    type: 'duration',
    default: SECOND,
    range: [1, HOUR],
    about: 'How often to sync with flush=interval.',
  },
  'message.max.bytes': {
    topic: 'max.message.bytes',
    type: 'bytes',
    default: MiB,
    range: [KiB, 15 * MiB],
    about: 'Largest record batch.',
  },
  'log.message.timestamp.type': {
    topic: 'message.timestamp.type',
    type: 'choice',
    default: 'CreateTime',
    choices: ['CreateTime', 'LogAppendTime'],
    about: "Whose clock stamps records: the producer's, or the broker's.",
  },
  'log.message.timestamp.before.max.ms': {
    topic: 'message.timestamp.before.max.ms',
    type: 'duration',
    default: -1,
    range: [0, Number.MAX_SAFE_INTEGER],
    special: { value: -1, text: 'no limit' },
    about: 'Records older than so much are refused.',
  },
  'log.message.timestamp.after.max.ms': {
    topic: 'message.timestamp.after.max.ms',
    type: 'duration',
    default: HOUR,
    range: [0, Number.MAX_SAFE_INTEGER],
    about: 'Records further in the future than so much are refused.',
  },
  'compression.type': {
    topic: 'compression.type',
    type: 'choice',
    default: 'producer',
    choices: ['producer'],
    about: 'Batches are kept as they came.',
  },
  'log.segment.bytes': {
    topic: 'segment.bytes',
    type: 'bytes',
    default: GiB,
    range: [4 * KiB, INT_MAX],
    about: 'Size at which a segment is rolled.',
  },
  'log.roll.ms': {
    topic: 'segment.ms',
    type: 'duration',
    default: 7 * DAY,
    range: [SECOND, Number.MAX_SAFE_INTEGER],
    about: 'Age at which a segment is rolled.',
  },
  'log.retention.ms': {
    topic: 'retention.ms',
    type: 'duration',
    default: 7 * DAY,
    range: [0, Number.MAX_SAFE_INTEGER],
    special: noLimit,
    about: 'Segments whose newest record is older are deleted.',
  },
  'log.retention.bytes': {
    topic: 'retention.bytes',
    type: 'bytes',
    default: -1,
    range: [0, Number.MAX_SAFE_INTEGER],
    special: noLimit,
    about: 'The oldest segments are deleted while at least so much is left, per partition.',
  },
  'log.retention.check.interval.ms': {
    type: 'duration',
    default: 5 * MINUTE,
    range: [SECOND, DAY],
    about: 'How often retention is looked after.',
  },
  'log.segment.delete.delay.ms': {
    topic: 'file.delete.delay.ms',
    type: 'duration',
    default: MINUTE,
    range: [0, DAY],
    about: 'How long the files of deleted segments and topics stay on disk.',
  },
  'log.cleanup.policy': {
    topic: 'cleanup.policy',
    type: 'choice',
    default: 'delete',
    choices: ['delete', 'compact', 'compact,delete'],
    about:
      'delete: old segments go, by time and size. compact: of each key the last record stays, and a null value deletes the key; records must have keys. compact,delete: both.',
  },
  'log.cleaner.min.cleanable.ratio': {
    topic: 'min.cleanable.dirty.ratio',
    type: 'ratio',
    default: 0.5,
    range: [0, 1],
    about: 'A log is compacted when more than this share of it has not been.',
  },
  'log.cleaner.min.compaction.lag.ms': {
    topic: 'min.compaction.lag.ms',
    type: 'duration',
    default: 0,
    range: [0, Number.MAX_SAFE_INTEGER],
    about:
      'Records younger than so much are not compacted: whoever reads within that time sees all.',
  },
  'log.cleaner.max.compaction.lag.ms': {
    topic: 'max.compaction.lag.ms',
    type: 'duration',
    default: -1,
    range: [1, Number.MAX_SAFE_INTEGER],
    special: noLimit,
    about: 'A record older than so much makes its log due for compaction, whatever the share.',
  },
  'log.cleaner.delete.retention.ms': {
    topic: 'delete.retention.ms',
    type: 'duration',
    default: DAY,
    range: [0, Number.MAX_SAFE_INTEGER],
    about:
      'How long a null value (a deleted key) can still be read after its first compaction: readers that begin at the start must get that far within it.',
  },
  'log.cleaner.backoff.ms': {
    type: 'duration',
    default: 15 * SECOND,
    range: [100, DAY],
    dynamic: true,
    about: 'How often it is looked for logs to compact while there are none.',
  },
  'log.cleaner.dedupe.buffer.size': {
    type: 'bytes',
    default: 32 * MiB,
    range: [64 * KiB, 2 * GiB],
    dynamic: true,
    about:
      'Memory for the keys of one pass of compaction, 20 bytes each at three quarters full (32 MiB: 1.2 million); more keys take more passes. It is taken while logs are compacted.',
  },
  'log.cleaner.io.max.bytes.per.second': {
    type: 'bytes',
    default: 64 * MiB,
    range: [64 * KiB, 2 ** 40],
    dynamic: true,
    about: 'How fast compaction reads and writes at most; it gives way while the broker is busy.',
  },
  'log.scrub.interval.ms': {
    type: 'duration',
    default: 7 * DAY,
    range: [MINUTE, 365 * DAY],
    special: { value: 0, text: 'off' },
    dynamic: true,
    about: 'Every log is read from the disk so often, and each checksum compared.',
  },
  'log.scrub.io.max.bytes.per.second': {
    type: 'bytes',
    default: 16 * MiB,
    range: [64 * KiB, 2 ** 40],
    dynamic: true,
    about: 'How fast that reads at most; it gives way while the broker is busy.',
  },
  'log.files.open.max': {
    type: 'int',
    default: 1_024,
    range: [16, 1_000_000],
    about: 'Segment files kept open at once; the least recently used is closed.',
  },
  'metadata.revisions.max': {
    type: 'int',
    default: 10_000,
    range: [100, 1_000_000],
    about:
      'Revisions of the metadata kept in memory; who follows it and is further behind reads all of it anew.',
  },
  'max.producer.ids': {
    type: 'int',
    default: 100_000,
    range: [100, 10_000_000],
    dynamic: true,
    about:
      'Producer ids remembered, all partitions together: one that writes to three partitions counts three times.',
  },
  'producer.id.expiration.ms': {
    type: 'duration',
    default: DAY,
    range: [15 * MINUTE, 365 * DAY],
    dynamic: true,
    about: 'A producer id that was not used for so long is forgotten.',
  },
  'offsets.topic.num.partitions': {
    type: 'int',
    default: 50,
    range: [1, 1_000],
    about:
      'Partitions of __consumer_offsets, which is made when the first group is asked for. Fixed from then on.',
  },
  'offsets.retention.ms': {
    type: 'duration',
    default: 7 * DAY,
    range: [HOUR, Number.MAX_SAFE_INTEGER],
    dynamic: true,
    about:
      'Positions of a group are forgotten so long after its last member left; without members, after the commit.',
  },
  'max.groups': {
    type: 'int',
    default: 100_000,
    range: [1, 10_000_000],
    dynamic: true,
    about: 'Groups that this broker looks after; more are refused with THROTTLING_QUOTA_EXCEEDED.',
  },
  'max.groups.bytes': {
    type: 'bytes',
    default: 512 * MiB,
    range: [MiB, 2 ** 50],
    dynamic: true,
    about:
      'Memory for the positions and members of groups, about; above it new ones are refused with THROTTLING_QUOTA_EXCEEDED.',
  },
  'group.max.size': {
    type: 'int',
    default: 1_000,
    range: [1, 100_000],
    dynamic: true,
    about: 'Members of one group; more are refused with GROUP_MAX_SIZE_REACHED.',
  },
  'group.consumer.session.timeout.ms': {
    type: 'duration',
    default: 15 * SECOND,
    range: [6 * SECOND, 30 * MINUTE],
    dynamic: true,
    about: 'A member that was not heard of for so long is out, and others get its partitions.',
  },
  'group.consumer.heartbeat.interval.ms': {
    type: 'duration',
    default: 3 * SECOND,
    range: [100, 10 * MINUTE],
    dynamic: true,
    about: 'How often a member is heard of; never more than a third of the session.',
  },
  'group.consumer.assignment.interval.ms': {
    type: 'duration',
    default: SECOND,
    range: [0, 15 * SECOND],
    dynamic: true,
    about: 'The partitions of a group are shared out anew at most so often.',
  },
  'group.consumer.assignors': {
    type: 'text',
    default: 'sticky,range,roundrobin',
    dynamic: true,
    about:
      'Ways to share out partitions, the preferred one first: sticky (also called uniform), range, roundrobin.',
  },
  'internal.topics.readable': {
    type: 'boolean',
    default: false,
    dynamic: true,
    about:
      'Lets clients read topics that the brokers keep for themselves (__consumer_offsets), to look for a fault.',
  },
  'shutdown.timeout.ms': {
    type: 'duration',
    default: 30 * SECOND,
    range: [SECOND, HOUR],
    dynamic: true,
    about: 'How long a stop may take in all; requests in flight get at most half of it.',
  },
})

export type Settings = typeof settings
export type SettingName = keyof Settings
type ValueOf<R extends Row> = R extends NumberRow
  ? number
  : R extends FlagRow
    ? boolean
    : R extends ChoiceRow
      ? R['choices'][number]
      : string
/** A value for every row, by name. Frozen; resolved once at start or at a change. */
export type Values = { readonly [K in SettingName]: ValueOf<Settings[K]> }

export type TopicSettingName = {
  [K in SettingName]: Settings[K] extends { readonly topic: infer T extends string } ? T : never
}[SettingName]
type RowNameOfTopic<T extends TopicSettingName> = {
  [K in SettingName]: Settings[K] extends { readonly topic: T } ? K : never
}[SettingName]
/** A value for every setting that a topic may have, by its topic name. */
export type TopicValues = { readonly [T in TopicSettingName]: Values[RowNameOfTopic<T>] }

export const settingNames = Object.keys(settings) as readonly SettingName[]

export function settingRow(name: SettingName): Row {
  return settings[name]
}

/** Broker setting behind each topic setting, by the topic's name. */
export const topicSettings: ReadonlyMap<string, SettingName> = new Map(
  settingNames.flatMap((name) => {
    const { topic } = settingRow(name)
    return topic === undefined ? [] : [[topic, name] as const]
  }),
)

export function isDynamic(name: SettingName): boolean {
  const row = settingRow(name)
  return row.dynamic === true || row.topic !== undefined
}
