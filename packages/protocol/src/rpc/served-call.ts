// One request being served. Enters: a decoded frame. Leaves: what the service gets, and what it makes of it.
import type { ApiName } from '../apis/index.ts'
import type { DecodedRequest, RefusedFrame } from '../codec/index.ts'
import type { CallMemory, CallOutcome, ServerCall, ServerConnection, Service } from './service.ts'

export type Caller = ServerConnection & {
  readonly signal: AbortSignal
  readonly memory: CallMemory
}

export class ServedCall {
  readonly connection: Caller
  readonly frameBytes: number
  readonly receivedAtMs: number
  readonly api: ApiName
  readonly version: number
  readonly correlationId: number
  readonly request: unknown

  constructor(
    connection: Caller,
    frameBytes: number,
    receivedAtMs: number,
    decoded: Exclude<DecodedRequest, RefusedFrame>,
  ) {
    this.connection = connection
    this.frameBytes = frameBytes
    this.receivedAtMs = receivedAtMs
    this.api = decoded.api
    this.version = decoded.version
    this.correlationId = decoded.correlationId
    this.request = decoded.request
  }

  get memory(): CallMemory {
    return this.connection.memory
  }

  /** The connection's, made when first asked for. */
  get signal(): AbortSignal {
    return this.connection.signal
  }

  /** To the service: api and request came as a pair from the codec. */
  get forService(): ServerCall {
    return this as unknown as ServerCall
  }
}

/** A service that throws at once failed like one that rejects. */
export async function serve(service: Service, call: ServedCall): Promise<CallOutcome> {
  return service.serve(call.forService)
}

/** A response that does not fit its definition is a fault of the service. */
export function unsendable(error: unknown): Error {
  return new Error('the response does not fit the definition of its API', { cause: error })
}
