// The surroundings of one process: arguments and variables that the test gives, output that it reads.
import { Writable } from 'node:stream'
import type { Input, Output, Program, Signal } from '@minikafka/platform'
import type { Ground } from './ground.ts'
import type { Process } from './process.ts'

export type ProgramOptions = {
  readonly arguments?: readonly string[] | undefined
  readonly variables?: Readonly<Record<string, string | undefined>> | undefined
  /** All that will ever come in. */
  readonly stdin?: string | undefined
}

/** Output that is kept, in bytes; older text gives way. */
const OUTPUT_CHARS_MAX = 2 ** 22

export class SimProgram implements Program {
  readonly arguments: readonly string[]
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly pid: number
  readonly platform = 'linux'
  readonly nodeVersion = 'v20.19.0'
  readonly home = '/home/minikafka'
  readonly temporaryDirectory = '/tmp'
  readonly workingDirectory = '/home/minikafka'
  readonly stdin: Input
  readonly stdout: SimOutput
  readonly stderr: SimOutput
  readonly #ground: Ground
  readonly #owner: Process
  readonly #exited: (code: number) => void
  readonly #signals = new Map<Signal, Set<() => void>>()
  readonly #fatal = new Set<(error: unknown) => void>()

  constructor(
    ground: Ground,
    owner: Process,
    options: ProgramOptions,
    exited: (code: number) => void,
  ) {
    this.#ground = ground
    this.#owner = owner
    this.#exited = exited
    this.arguments = options.arguments ?? []
    this.variables = options.variables ?? {}
    this.pid = owner.facts.pid
    this.stdin = inputOf(options.stdin ?? '')
    this.stdout = new SimOutput(ground)
    this.stderr = new SimOutput(ground)
  }

  uptimeMs(): number {
    return this.#ground.scheduler.nowMs - this.#owner.facts.startedAtMs
  }

  cpuMs(): number {
    return 0
  }

  memory() {
    return { rssBytes: 2 ** 26, heapUsedBytes: 2 ** 24, externalBytes: 2 ** 20 }
  }

  async openFiles() {
    return { open: 32, max: 65_536 }
  }

  onSignal(signal: Signal, listener: () => void): () => void {
    const listeners = this.#signals.get(signal) ?? new Set()
    this.#signals.set(signal, listeners.add(listener))
    return () => listeners.delete(listener)
  }

  onFatal(listener: (error: unknown) => void): () => void {
    this.#fatal.add(listener)
    return () => this.#fatal.delete(listener)
  }

  exit(code: number): void {
    this.#exited(code)
  }

  /** What the test sends. Without a listener it ends the process, as a real one does. */
  signal(signal: Signal): void {
    this.#ground.scheduler.schedule(this.#owner, 'io', `signal ${signal}`, 0, () => {
      const listeners = [...(this.#signals.get(signal) ?? [])]
      if (listeners.length === 0) this.#exited(SIGNAL_CODES[signal])
      for (const listener of listeners) listener()
    })
  }

  lastWords(error: unknown): void {
    for (const listener of this.#fatal) listener(error)
  }
}

const SIGNAL_CODES: Readonly<Record<Signal, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }

export class SimOutput implements Output {
  readonly isTTY = false
  readonly columns = 80
  readonly rows = 24
  readonly stream: NodeJS.WritableStream
  readonly #ground: Ground
  #text = ''

  constructor(ground: Ground) {
    this.#ground = ground
    this.stream = new Writable({
      decodeStrings: false,
      write: (chunk: string | Uint8Array, _encoding, done) => {
        this.#keep(chunk)
        done()
      },
    })
  }

  /** What was written so far. */
  get text(): string {
    return this.#text
  }

  async write(text: string | Uint8Array): Promise<void> {
    this.#keep(text)
  }

  #keep(chunk: string | Uint8Array): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk)
    this.#ground.hash.bytes(bytes)
    this.#text = (this.#text + bytes.toString()).slice(-OUTPUT_CHARS_MAX)
  }
}

function inputOf(text: string): Input {
  return {
    isTTY: false,
    async *chunks() {
      if (text !== '') yield Buffer.from(text)
    },
  }
}
