// The door to the outside: every port that the rest of the code may use, and nothing else.
// Enters: an Env, first parameter of whatever touches the world. Leaves: bytes, times, numbers.
// Two implementations exist, `nodeEnv()` and the simulated world of `testing`; both pass `compliance/`.
import type { Logger as PinoLogger } from 'pino'

export type Logger = PinoLogger

export type Env = {
  readonly clock: Clock
  readonly random: Random
  readonly disk: Disk
  readonly network: Network
  readonly httpServer: HttpServer
  readonly compress: Compress
  readonly program: Program
  readonly logger: Logger
}

// --- time ------------------------------------------------------------------------------------

export type Timer = { cancel(): void }

export type Clock = {
  /** Wall clock, integer milliseconds since 1970. Only for what is stored (STYLE 3.3). */
  wallMs(): number
  /** Monotonic milliseconds with a fraction; for every duration and deadline. */
  monotonicMs(): number
  /** Calls back once, no earlier than `delayMs` from now. Delays above 2^31 - 1 ms are waited out whole. */
  timer(delayMs: number, callback: () => void): Timer
  /** Calls back in a later turn of the event loop, after pending I/O had its chance. */
  soon(callback: () => void): void
}

// --- dice ------------------------------------------------------------------------------------

export type Random = {
  /** Uniform in [0, 1). */
  next(): number
  /** Uniform integer in [0, bound). */
  below(bound: number): number
  bytes(size: number): Buffer
  /** Version 4 UUID, lower case. */
  uuid(): string
  /** True where the simulator wants a rare branch taken; for ever false in the Node implementation. */
  buggify(point: string, probability: number): boolean
}

// --- disk ------------------------------------------------------------------------------------

/** Errors of the disk are `DiskError`s: `code` as the system names it (`ENOENT`, `ENOSPC`, `EIO` ...). */
export type Disk = {
  /**
   * Opens a file. `create`: makes it (mode 0600), fails if it exists. `write`: it must exist. `read`: read only.
   * A symlink as last component is refused (`ELOOP`).
   */
  open(path: string, mode: 'create' | 'write' | 'read'): Promise<File>
  /**
   * Whole content, or undefined where there is no such file. A symlink as last component is refused as by `open`,
   * unless `links` says `follow`: for what people name (configuration, secrets), never inside a data directory.
   */
  readFile(
    path: string,
    options?: { readonly links: 'refuse' | 'follow' },
  ): Promise<Buffer | undefined>
  /**
   * tmp file (`<path>.tmp`) + write + fsync + rename + fsync of the directory: after it resolves, the content
   * survives; a crash before leaves the old content or the new one, and perhaps the temporary file. Content that is
   * too much to be put together in one turn comes in slices, lent until it settles.
   *
   * ENOSPC, EDQUOT: the old file is in place. EIO: perhaps the new one is, and it may be gone after a power cut.
   */
  replaceFile(path: string, content: Uint8Array | readonly Uint8Array[]): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** Removes one file; absent is fine. */
  removeFile(path: string): Promise<void>
  /** Removes a directory with all it holds; absent is fine. */
  removeDirectory(path: string): Promise<void>
  /** Makes the directory (0700) and its parents; present is fine. */
  makeDirectory(path: string): Promise<void>
  /** Names in it, sorted; `ENOENT` where there is none. */
  list(path: string): Promise<string[]>
  /** Of the path itself, a symlink is `other`; undefined where there is nothing. */
  stat(path: string): Promise<FileStat | undefined>
  /** fsync of the directory itself: creates, renames and removals in it survive after that. */
  syncDirectory(path: string): Promise<void>
  freeBytes(path: string): Promise<number>
  totalBytes(path: string): Promise<number>
  /** Takes the exclusive lock of a directory (REPLICATION 2.1), or says who holds it. */
  lock(directory: string): Promise<{ lock: Lock } | { heldBy: number | undefined }>
}

export type FileStat = {
  readonly kind: 'file' | 'directory' | 'other'
  readonly size: number
  readonly modifiedMs: number
}

export type Lock = { release(): Promise<void> }

export type File = {
  /**
   * Gather-writes `buffers` at `position`; all bytes or an error. May finish within the call: then it
   * returns undefined. Otherwise the buffers are lent until the promise settles. It throws only where
   * it finishes in the call. At most 1 MiB a call stays cheap (PERFORMANCE 4).
   *
   * `where` is a wish. `call` (default): the write is soon followed by a sync, which bounds the dirty pages, so that
   * writing in the call is cheapest. `pool`: nobody syncs (flush `os`, `interval`); one write in a thousand then
   * stalls for the kernel's own write-back, up to 50 ms, and must not stop the loop.
   */
  append(
    buffers: readonly Uint8Array[],
    position: number,
    where?: 'call' | 'pool',
  ): undefined | Promise<void>
  /** fdatasync: covers what was appended before the call. The port queues beyond its cap of concurrent ones. */
  sync(): Promise<void>
  /** Fills `into` (lent) from `position`; returns the bytes read, fewer only at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>
  truncate(size: number): Promise<void>
  size(): Promise<number>
  close(): Promise<void>
}

export class DiskError extends Error {
  declare readonly code: string
  declare readonly path: string | undefined
  constructor(code: string, message: string, path?: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DiskError'
    this.code = code
    this.path = path
  }
}

// --- network ---------------------------------------------------------------------------------

export type Address = { readonly host: string; readonly port: number }

export type ListenOptions = {
  readonly host: string
  readonly port: number
  readonly backlog?: number | undefined
  /** A connection could not be accepted (`EMFILE`, `ENFILE` ...) and is lost; the listener goes on. */
  readonly onAcceptFailed?: ((error: NetworkError) => void) | undefined
}

export type ConnectOptions = {
  readonly host: string
  readonly port: number
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** Errors are `NetworkError`s: `code` is `ECONNREFUSED`, `EADDRINUSE`, `ECONNRESET`, `ETIMEDOUT`, `ENOTFOUND` ... */
export type Network = {
  /** Port 0 takes any free port; `address` then says which. `accept` gets each new socket, not yet receiving. */
  listen(options: ListenOptions, accept: (socket: Socket) => void): Promise<Listener>
  connect(options: ConnectOptions): Promise<Socket>
}

export type Listener = {
  readonly address: Address
  /** Stops accepting; open sockets stay. */
  close(): Promise<void>
}

/** An ordered byte stream, TCP_NODELAY. Half-open is allowed: `ended` does not close it. */
export type Socket = {
  readonly local: Address
  readonly remote: Address
  /**
   * Begins to read. For every chunk: `target()` is asked for free memory (never empty), bytes are put at its
   * start, then `received(size)`. A chunk may arrive in several such pairs. Call it once.
   */
  receive(receiver: Receiver): void
  /**
   * Sends the buffers as one gather write, after all that was sent before. The buffers are lent until `done`
   * is called: with nothing once the kernel has them, with an error when the socket died. Never throws.
   */
  send(buffers: readonly Uint8Array[], done?: (error?: Error) => void): void
  /** Bytes given to `send` and not yet taken by the kernel. */
  queuedBytes(): number
  /** Stops and goes on reading. What is already in flight may still arrive after `pause`. */
  pause(): void
  resume(): void
  /** Sends what is queued, then FIN. */
  end(): void
  /** Closes at once; unsent bytes are lost. `closed` follows. */
  destroy(): void
}

export type Receiver = {
  /** Free memory to read into; lent until the next `received` or `closed`. */
  target(): Uint8Array
  /** `size` bytes now stand at the start of the last target. */
  received(size: number): void
  /** The peer sent FIN: nothing more will arrive. */
  ended(): void
  /** The socket is gone; called exactly once, last. */
  closed(error?: Error): void
}

export class NetworkError extends Error {
  declare readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'NetworkError'
    this.code = code
  }
}

// --- pages over HTTP ---------------------------------------------------------------------------

export type Page = {
  readonly status: number
  /** Content-Type. */
  readonly type: string
  readonly body: string
}

/** For metrics and health: small pages, told by their path alone. */
export type HttpServer = {
  /**
   * Answers GET and HEAD with the page of their path (without the query), other methods with 405, and with 500 where
   * `pageOf` throws. Port 0 takes any free port. Slow, idle and surplus callers are sent away; nobody can send a body.
   * Closing ends open connections. Errors: NetworkError.
   */
  listen(at: Address, pageOf: (path: string) => Page | Promise<Page>): Promise<Listener>
}

// --- compression -----------------------------------------------------------------------------

/** Kafka's names and numbers (record batch attributes, bits 0-2). */
export type CompressionName = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/**
 * Synchronous, so that order is kept and nothing runs in a thread pool.
 * gzip; snappy in xerial framing (as the Java client writes it; raw snappy is read, too); lz4 frame; zstd frame.
 */
export type Compress = {
  /** Loads what a codec needs (wasm, native) once; must have resolved before its first use. */
  prepare(name: CompressionName): Promise<void>
  compress(name: CompressionName, input: Uint8Array): Buffer
  /** Throws `CompressionError` where the input is broken or would give more than `sizeMax` bytes. */
  decompress(name: CompressionName, input: Uint8Array, sizeMax: number): Buffer
}

export class CompressionError extends Error {
  override name = 'CompressionError'
}

// --- the process -----------------------------------------------------------------------------

export type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

export type Program = {
  /** Without the interpreter and the script. */
  readonly arguments: readonly string[]
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly pid: number
  readonly platform: string
  readonly nodeVersion: string
  readonly home: string
  readonly temporaryDirectory: string
  readonly workingDirectory: string
  readonly stdin: Input
  readonly stdout: Output
  readonly stderr: Output
  /** Milliseconds since the process started. */
  uptimeMs(): number
  /** Milliseconds of processor time that the process has used, in all its threads. */
  cpuMs(): number
  memory(): {
    readonly rssBytes: number
    readonly heapUsedBytes: number
    readonly externalBytes: number
  }
  /** File descriptors in use, sockets included, and how many there may be; undefined where the system does not tell. */
  openFiles(): Promise<{ readonly open: number; readonly max: number } | undefined>
  /** Returns the function that stops listening. */
  onSignal(signal: Signal, listener: () => void): () => void
  /** Last words before the process dies of an uncaught error or an unhandled rejection. */
  onFatal(listener: (error: unknown) => void): () => void
  /** Flushes stdout and stderr, then exits. */
  exit(code: number): void
}

export type Input = { readonly isTTY: boolean; chunks(): AsyncIterable<Buffer> }

export type Output = {
  readonly isTTY: boolean
  readonly columns: number
  readonly rows: number
  /** Resolves when the stream wants more; rejects with `EPIPE` in `code` when the reader is gone. */
  write(text: string | Uint8Array): Promise<void>
  /** The stream itself, for libraries that draw (progress bars, pretty logs). */
  readonly stream: NodeJS.WritableStream
}
