// Settings of the broker itself: where it listens, what it takes of the machine, how it treats its clients.
// Enters: nothing. Leaves: rows of settings.ts.
import {
  DAY,
  defineSettings,
  GiB,
  HOUR,
  INT_MAX,
  KiB,
  MINUTE,
  MiB,
  SECOND,
} from './setting-rows.ts'

export const brokerSettings = defineSettings({
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
  'http.host': {
    type: 'text',
    default: '127.0.0.1',
    about:
      'Address of the pages /metrics, /healthz and /readyz; beyond loopback only with allow.insecure.',
  },
  'http.port': {
    type: 'int',
    default: 9464,
    range: [0, 65_535],
    special: { value: -1, text: 'off' },
    about: 'Their port; 0 takes any free one. Where it is taken the broker goes on without them.',
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
})
