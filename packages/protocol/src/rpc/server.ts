// Room 1 of the walk: bytes -> frame. Before it: socket bytes. After it: protocol/codec (room 2).
import type { Env, Socket } from '@minikafka/platform'
import type { ServerLimits } from './limits.ts'
import type { MemoryAccount, ServerConnection, Service } from './service.ts'

export class RpcServer {
  constructor(_env: Env, _limits: ServerLimits, _memory: MemoryAccount, _service: Service) {}

  /** Serves one accepted socket; undefined: a limit on connections refused it. */
  accept(_socket: Socket): ServerConnection | undefined {
    throw new Error('being written')
  }

  get connectionCount(): number {
    return 0
  }

  /** Takes no more requests, lets those in flight finish for `finishMs`, then closes every connection. */
  close(_options: { finishMs: number }): Promise<void> {
    throw new Error('being written')
  }
}
