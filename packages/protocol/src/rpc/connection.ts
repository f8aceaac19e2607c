// The client's end of a connection: typed calls over a socket, pipelined.
import type { Address, Env } from '@minikafka/platform'
import type { ApiName, Apis } from '../apis/index.ts'
import type { RequestOf, ResponseOf } from '../define.ts'
import type { MinikafkaError } from '../errors.ts'

export type ConnectionOptions = {
  readonly host: string
  readonly port: number
  readonly clientName: string
  readonly clientVersion: string
  readonly clientId: string
  /** For the connect and ApiVersions together. */
  readonly timeoutMs: number
  /** Largest frame read; default 64 MiB. */
  readonly frameBytesMax?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export type CallOptions = {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** Called exactly once: the request's blobs are no longer lent. With an error where the socket died first. */
  readonly written?: ((error?: Error) => void) | undefined
}

export class Connection {
  declare readonly hello: ResponseOf<Apis['apiVersions']>
  declare readonly address: Address

  static open(_env: Env, _options: ConnectionOptions): Promise<Connection> {
    throw new Error('being written')
  }

  get open(): boolean {
    return false
  }

  get inFlight(): number {
    return 0
  }

  call<A extends ApiName>(
    _api: A,
    _request: RequestOf<Apis[A]>,
    _options: CallOptions,
  ): Promise<ResponseOf<Apis[A]>> {
    throw new Error('being written')
  }

  /** Sends a request that is not answered (Produce with acks 0). */
  post<A extends ApiName>(
    _api: A,
    _request: RequestOf<Apis[A]>,
    _written?: (error?: Error) => void,
  ): void {
    throw new Error('being written')
  }

  onClose(_listener: (error?: MinikafkaError) => void): () => void {
    throw new Error('being written')
  }

  close(): void {
    throw new Error('being written')
  }
}
