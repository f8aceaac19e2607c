// Room 1 of the walk: bytes -> frame. Before it: socket bytes. After it: protocol/codec (room 2).
// Enters: accepted sockets. Leaves: one call to the service per request; answers go back as they come.
//
// Here: all connections of a listener, how many there may be, and one timer for all their deadlines. Each lives in
// server-connection.ts; first-bytes.ts decides who is calling, frame-reader.ts cuts the stream into frames.
import type { Env, Socket, Timer } from '@minikafka/platform'
import { checkEveryMs } from './deadlines.ts'
import type { FramePool } from './frame-pool.ts'
import type { ServerLimits } from './limits.ts'
import { MemoryQueue, type Reader } from './memory-queue.ts'
import { PeerConnection, type Surroundings } from './server-connection.ts'
import type { MemoryAccount, ServerConnection, Service, Traffic } from './service.ts'
import { Turns } from './turns.ts'

/**
 * A look so late means that the process stood still: what its peers sent meanwhile is yet to be read, and nobody is judged
 * before the next look.
 */
const STANDSTILL_MS = 1000

export class RpcServer {
  readonly #common: Surroundings
  readonly #connections = new Set<PeerConnection>()
  readonly #countByHost = new Map<string, number>()
  #nextId = 1
  /** The next look at the deadlines; none while there is no connection. */
  #look: { readonly dueMs: number; readonly timer: Timer } | undefined
  /** Something has happened since the last look: the next one is soon. */
  #isStirred = false
  #closing = false
  #allClosed: (() => void) | undefined
  /** The two connections that may go on above their share of the memory budget: who waits longest, and who came last. */
  #favoured: PeerConnection | undefined
  #favouredLast: PeerConnection | undefined

  /** `frames`: where the memory of large frames comes from. */
  constructor(
    env: Env,
    limits: ServerLimits,
    memory: MemoryAccount,
    service: Service,
    frames?: FramePool,
  ) {
    const left = (connection: PeerConnection) => this.#left(connection)
    const stir = () => this.#stir()
    const favourNext = () => this.#favourOne()
    const queue = new MemoryQueue(env.clock, memory, favourNext)
    const turns = new Turns(env.clock)
    const traffic = { receivedBytes: 0, sentBytes: 0 }
    this.#common = {
      env,
      limits,
      memory,
      frames,
      traffic,
      queue,
      turns,
      service,
      left,
      stir,
      favourNext,
    }
  }

  /** Serves one accepted socket; undefined: a limit on connections, or the closing of the server, refused it. */
  accept(socket: Socket): ServerConnection | undefined {
    const reason = this.#closing ? 'the broker is closing' : this.#fullReason(socket.remote.host)
    if (reason !== undefined) {
      this.#common.service.refused?.(socket, 'limits', reason)
      socket.destroy()
      return undefined
    }
    const connection = new PeerConnection(this.#common, socket, this.#nextId++)
    this.#connections.add(connection)
    const { host } = socket.remote
    this.#countByHost.set(host, (this.#countByHost.get(host) ?? 0) + 1)
    this.#stir()
    socket.receive(connection)
    return connection
  }

  get traffic(): Readonly<Traffic> {
    return this.#common.traffic
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /** Takes no more requests, lets those in flight finish for `finishMs`, then closes every connection. */
  async close({ finishMs }: { readonly finishMs: number }): Promise<void> {
    this.#closing = true
    this.#common.queue.close()
    if (this.#connections.size === 0) return
    const allClosed = new Promise<void>((resolve) => {
      this.#allClosed = resolve
    })
    for (const connection of [...this.#connections]) connection.close()
    const timer = this.#common.env.clock.timer(finishMs, () => {
      for (const connection of [...this.#connections]) connection.destroy()
    })
    await allClosed
    timer.cancel()
  }

  #fullReason(host: string): string | undefined {
    const { connectionsMax, connectionsPerAddressMax } = this.#common.limits
    if (this.#connections.size >= connectionsMax) return 'too many connections'
    const ofHost = this.#countByHost.get(host) ?? 0
    return ofHost >= connectionsPerAddressMax ? 'too many connections from this address' : undefined
  }

  #left(connection: PeerConnection): void {
    this.#connections.delete(connection)
    if (connection === this.#favoured || connection === this.#favouredLast) this.#favourOne()
    const { host } = connection.remote
    const count = (this.#countByHost.get(host) ?? 0) - 1
    if (count > 0) this.#countByHost.set(host, count)
    else this.#countByHost.delete(host)
    if (this.#connections.size > 0) return
    this.#look?.timer.cancel()
    this.#look = undefined
    this.#isStirred = false
    this.#allClosed?.()
  }

  // --- one timer for all -----------------------------------------------------------------------

  /** Called for whatever may be the beginning of a deadline. */
  #stir(): void {
    if (this.#isStirred) return
    this.#isStirred = true
    const { env, limits } = this.#common
    this.#lookAt(env.clock.monotonicMs() + checkEveryMs(limits))
  }

  /** Unless it looks earlier anyway. */
  #lookAt(dueMs: number): void {
    if (this.#look !== undefined && this.#look.dueMs <= dueMs) return
    this.#look?.timer.cancel()
    const { clock } = this.#common.env
    const timer = clock.timer(dueMs - clock.monotonicMs(), () => this.#check(dueMs))
    this.#look = { dueMs, timer }
  }

  /**
   * A look at every connection: at 10,000 of them less than a millisecond, once a second while something happens. Where
   * nothing does, only idleness has a deadline, and there is no other look until then.
   */
  #check(dueMs: number): void {
    const { env, limits } = this.#common
    const nowMs = env.clock.monotonicMs()
    this.#look = undefined
    this.#isStirred = false
    const isLate = nowMs - dueMs > STANDSTILL_MS
    if (!isLate) for (const connection of [...this.#connections]) connection.checkDeadlines(nowMs)
    this.#favourOne()
    if (this.#connections.size === 0) return
    const soonMs = nowMs + checkEveryMs(limits)
    let nextMs = isLate ? soonMs : Number.POSITIVE_INFINITY
    for (const { atRestUntilMs } of this.#connections) nextMs = Math.min(nextMs, atRestUntilMs)
    if (nextMs < Number.POSITIVE_INFINITY) this.#lookAt(Math.max(soonMs, nextMs))
  }

  /**
   * Frames larger than a share, all cut off, could never be completed. So one connection at a time goes on above it,
   * until a request of it is answered; who then sends too slowly is closed. And one that has just begun to wait: it is
   * alive, and need not wait until all those who fell silent before it were asked.
   */
  #favourOne(): void {
    const { queue } = this.#common
    this.#favoured = favoured(this.#favoured, () => queue.firstStarved())
    this.#favouredLast = favoured(this.#favouredLast, () => queue.lastStarved())
  }
}

function favoured(
  before: PeerConnection | undefined,
  choose: () => Reader | undefined,
): PeerConnection | undefined {
  if (before?.isFavoured) return before
  const next = choose() as PeerConnection | undefined
  next?.favour()
  return next
}
