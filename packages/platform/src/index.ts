// The front door of `platform`.
export { AssertionError, assert, assertNever } from './assert.ts'
export { crc32c, crc32cOfPart } from './crc32c.ts'
export type {
  Address,
  Clock,
  Compress,
  CompressionName,
  ConnectOptions,
  Disk,
  Env,
  File,
  FileStat,
  HttpServer,
  Input,
  Listener,
  ListenOptions,
  Lock,
  Logger,
  Network,
  Output,
  Page,
  Program,
  Random,
  Receiver,
  Signal,
  Socket,
  Timer,
} from './env.ts'
export { CompressionError, DiskError, NetworkError } from './env.ts'
export { pageFor } from './http-page.ts'
export { isNoSpace } from './no-space.ts'
export { realTurn } from './node/clock.ts'
export { nodeCompress } from './node/compress.ts'
export { type LineLoggerOptions, lineLogger } from './node/line-logger.ts'
export { createLogger, type LineDestination, type LoggerOptions } from './node/logger.ts'
export { type NodeEnvOptions, nodeEnv } from './node/node-env.ts'
export { nodePorts } from './node/node-ports.ts'
export { sleep, withDeadline } from './wait.ts'
