// What the handler of one call may use. A class, for one is made with each request: in a literal the accessor would be defined
// anew each time, which takes ten times as long as all the rest. Enters: a call, the rooms. Leaves: the handler's context.
import type { Env } from '@minikafka/platform'
import type { CallMemory, ServerCall } from '@minikafka/protocol'
import type { Context } from './handlers/index.ts'
import type { Rooms } from './rooms.ts'

const ANONYMOUS = 'User:ANONYMOUS'

export class CallContext implements Context {
  readonly env: Env
  readonly rooms: Rooms
  readonly listener: string
  readonly #call: ServerCall

  constructor(env: Env, rooms: Rooms, listener: string, call: ServerCall) {
    this.env = env
    this.rooms = rooms
    this.listener = listener
    this.#call = call
  }

  get principal(): string {
    return ANONYMOUS
  }

  get clientId(): string {
    return this.#call.connection.clientId
  }

  get clientHost(): string {
    return this.#call.connection.remote.host
  }

  get receivedAtMs(): number {
    return this.#call.receivedAtMs
  }

  get memory(): CallMemory {
    return this.#call.memory
  }

  get signal(): AbortSignal {
    return this.#call.signal
  }

  requestDone(): void {
    this.#call.done?.()
  }

  lend(memory: ArrayBufferLike): void {
    if (this.#call.lend) this.#call.lend(memory)
    else this.rooms.directory.frames.giveAway(memory)
  }

  letGo(memory: ArrayBufferLike): void {
    this.rooms.directory.frames.letGo(memory)
  }

  takeBack(): void {
    this.#call.takeBack?.()
  }
}
