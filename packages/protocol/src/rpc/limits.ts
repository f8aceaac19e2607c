// What one connection may cost a server, with safe defaults. Source: SECURITY "Limits"; no default is infinite.
import { BODY_DEPTH_MAX } from '../codec/index.ts'

export type ServerLimits = {
  /** Largest frame read, length prefix excluded. */
  readonly frameBytesMax: number
  /** The same for the first frame of a connection, which is ApiVersions. */
  readonly firstFrameBytesMax: number
  /** Requests of one connection served at once; what comes beyond is not read. */
  readonly requestsInFlightMax: number
  readonly idleMs: number
  /** From the connect until the first frame is whole. */
  readonly firstFrameMs: number
  /** From the first byte of a frame until it is whole, plus its size divided by `frameBytesPerSecond`. */
  readonly frameMs: number
  readonly frameBytesPerSecond: number
  /** Unsent answers of one connection; above it the connection is not read. */
  readonly unsentBytesMax: number
  /** A peer that takes no answer for this long is closed. */
  readonly slowReaderMs: number
  /** Arrays within arrays in a body. */
  readonly bodyDepthMax: number
  readonly connectionsMax: number
  readonly connectionsPerAddressMax: number
}

export const SERVER_LIMITS: ServerLimits = {
  frameBytesMax: 16 * 2 ** 20,
  firstFrameBytesMax: 64 * 2 ** 10,
  requestsInFlightMax: 100,
  idleMs: 10 * 60_000,
  firstFrameMs: 10_000,
  frameMs: 10_000,
  frameBytesPerSecond: 64_000,
  unsentBytesMax: 32 * 2 ** 20,
  slowReaderMs: 60_000,
  bodyDepthMax: BODY_DEPTH_MAX,
  connectionsMax: 10_000,
  connectionsPerAddressMax: 1000,
}
