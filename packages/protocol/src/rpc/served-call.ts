// One request being served. Enters: a decoded frame. Leaves: what the service gets, and what it makes of it.
import type { ApiName } from '../apis/index.ts'
import type { DecodedRequest, RefusedFrame } from '../codec/index.ts'
import type { FramePool } from './frame-pool.ts'
import { CallHolding } from './holding.ts'
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
  readonly #frames: FramePool | undefined
  readonly #frameMemory: ArrayBufferLike
  #taken: CallHolding | undefined
  #isDone = false
  #lent: ArrayBufferLike[] | undefined

  constructor(
    connection: Caller,
    frames: FramePool | undefined,
    frame: Uint8Array,
    receivedAtMs: number,
    decoded: Exclude<DecodedRequest, RefusedFrame>,
  ) {
    this.connection = connection
    this.frameBytes = frame.length
    this.#frames = frames
    this.#frameMemory = frame.buffer
    this.receivedAtMs = receivedAtMs
    this.api = decoded.api
    this.version = decoded.version
    this.correlationId = decoded.correlationId
    this.request = decoded.request
  }

  get memory(): CallMemory {
    this.#taken ??= new CallHolding(this.connection.memory)
    return this.#taken
  }

  done(): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#frames?.letGo(this.#frameMemory)
  }

  lend(memory: ArrayBufferLike): void {
    if (this.#frames === undefined) return
    this.#frames.hold(memory)
    this.#lent ??= []
    this.#lent.push(memory)
  }

  /** To be called when the answer has left, or never will; undefined where nothing is lent. */
  returning(): (() => void) | undefined {
    const lent = this.#lent
    if (lent === undefined) return undefined
    this.#lent = undefined
    return () => {
      for (const memory of lent) this.#frames?.letGo(memory)
    }
  }

  takeBack(): void {
    this.returning()?.()
  }

  /** It is answered, or never will be: nothing is held for it any longer. */
  over(): void {
    this.takeBack()
    this.#taken?.releaseAll()
    this.connection.memory.release(this.frameBytes)
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
