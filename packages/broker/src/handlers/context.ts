// What a handler may use besides its request. Everything a handler touches comes through here.
import type { Env } from '@minikafka/platform'
import type { CallMemory } from '@minikafka/protocol'
import type { Rooms } from '../rooms.ts'

export type Context = {
  readonly env: Env
  readonly rooms: Rooms
  /** Who asks; anonymous until there is authentication. */
  readonly principal: string
  /** Name of the listener that the connection came in on. */
  readonly listener: string
  readonly clientId: string
  /** Address that the connection comes from. */
  readonly clientHost: string
  /** Monotonic milliseconds at which the request arrived. */
  readonly receivedAtMs: number
  /**
   * Charged for what the handler takes besides the request. It counts for the connection, which has a share; what is left of
   * it when the call is over is given back then.
   */
  readonly memory: CallMemory
  /** Aborts when the connection dies. */
  readonly signal: AbortSignal
  /** What came in the request's blobs is used by nobody but the log, which holds what it keeps: see `FramePool`. */
  requestDone(): void
  /** Of what the log has lent (`Log.lend`): so the memory stays as it is until the answer has left. */
  lend(memory: ArrayBufferLike): void
  /** Of what the log has lent and held (`LogSlice.isHeld`). */
  letGo(memory: ArrayBufferLike): void
  /** What was lent is not answered after all. */
  takeBack(): void
}
