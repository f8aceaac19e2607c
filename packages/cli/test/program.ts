// The whole program in this process: arguments and input are given, output is kept, signals are called.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import type { Env } from '@minikafka/client'
import { main } from 'minikafka'
import { quietEnv } from '../../broker/test/running-broker.ts'

// Commands are loaded on first use, which takes real time: on a clock that a test holds, hours might pass meanwhile.
const COMMANDS = join(import.meta.dirname, '../src/commands')
for (const file of readdirSync(COMMANDS, { recursive: true, encoding: 'utf8' }))
  if (file.endsWith('.ts') && !file.endsWith('.test.ts')) await import(join(COMMANDS, file))
for (const name of ['cli-table3', 'picocolors', 'cli-progress', 'yaml']) await import(name)

export type Ending = { readonly code: number; readonly stdout: string; readonly stderr: string }

export type Running = {
  readonly ended: Promise<Ending>
  readonly stdout: () => string
  readonly stderr: () => string
  /** Resolves when stdout (or stderr) matches. */
  printed(pattern: RegExp, of?: 'stdout' | 'stderr'): Promise<void>
  type(text: string): void
  endInput(): void
  signal(name: 'SIGINT' | 'SIGTERM'): void
}

export type Surroundings = {
  readonly input?: string | Buffer
  /** Which streams are terminals. */
  readonly tty?: readonly ('stdin' | 'stdout' | 'stderr')[]
  /** How many columns and rows they have. */
  readonly size?: readonly [columns: number, rows: number]
  readonly variables?: Readonly<Record<string, string>>
  /** Where profiles are; by default nobody has any. */
  readonly home?: string
  /** Whose clock, network and disk. */
  readonly env?: Env
}

export function run(
  args: readonly string[],
  {
    input,
    tty = [],
    size = [80, 24],
    variables = {},
    home = '/nowhere',
    env = quietEnv(),
  }: Surroundings = {},
): Running {
  const stdin = new TypedInput()
  if (input !== undefined) {
    stdin.type(input)
    stdin.end()
  }
  const outputs = { stdout: new KeptOutput(), stderr: new KeptOutput() }
  const listeners = new Map<string, () => void>()
  const { promise, resolve } = promiseOf<number>()
  const program: Env['program'] = {
    ...env.program,
    arguments: args,
    variables,
    home,
    stdin: { isTTY: tty.includes('stdin'), chunks: () => stdin.chunks() },
    stdout: outputs.stdout.output(tty.includes('stdout'), size),
    stderr: outputs.stderr.output(tty.includes('stderr'), size),
    onSignal: (signal, listener) => {
      listeners.set(signal, listener)
      return () => listeners.delete(signal)
    },
    exit: resolve,
  }
  // Not spread: what is made on first use stays so.
  void main(Object.create(env, { program: { value: program } }) as Env)
  return {
    ended: promise.then((code) => ({
      code,
      stdout: outputs.stdout.text,
      stderr: outputs.stderr.text,
    })),
    stdout: () => outputs.stdout.text,
    stderr: () => outputs.stderr.text,
    printed: (pattern, of = 'stdout') => outputs[of].matches(pattern),
    type: (text) => stdin.type(text),
    endInput: () => stdin.end(),
    signal: (name) => listeners.get(name)?.(),
  }
}

/** `minikafka -b 127.0.0.1:PORT …`, run to its end. */
export function commandLineOf(port: number) {
  const start = (args: readonly string[], surroundings?: Surroundings) =>
    run(['-b', `127.0.0.1:${port}`, ...args], surroundings)
  return {
    start,
    mk: (args: readonly string[], surroundings: Surroundings = { input: '' }) =>
      start(args, surroundings).ended,
  }
}

class TypedInput {
  readonly #chunks: Buffer[] = []
  #ended = false
  #wake: () => void = () => {}

  type(text: string | Buffer): void {
    this.#chunks.push(Buffer.from(text))
    this.#wake()
  }

  end(): void {
    this.#ended = true
    this.#wake()
  }

  async *chunks(): AsyncGenerator<Buffer> {
    for (;;) {
      const chunk = this.#chunks.shift()
      if (chunk !== undefined) yield chunk
      else if (this.#ended) return
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
    }
  }
}

class KeptOutput {
  text = ''
  #waiting: { pattern: RegExp; resolve: () => void }[] = []

  output(isTTY: boolean, [columns, rows]: readonly [number, number]): Env['program']['stdout'] {
    const stream = new Writable({
      write: (chunk: Buffer, _, done) => {
        this.#add(chunk.toString())
        done()
      },
    })
    return {
      isTTY,
      ...{ columns, rows },
      stream: Object.assign(stream, { isTTY, columns, rows }),
      write: async (text) => this.#add(Buffer.from(text).toString()),
    }
  }

  matches(pattern: RegExp): Promise<void> {
    const { promise, resolve } = promiseOf<void>()
    this.#waiting.push({ pattern, resolve })
    this.#tell()
    return promise
  }

  #add(text: string): void {
    this.text += text
    this.#tell()
  }

  #tell(): void {
    const seen = this.#waiting.filter(({ pattern }) => pattern.test(this.text))
    this.#waiting = this.#waiting.filter((one) => !seen.includes(one))
    for (const { resolve } of seen) resolve()
  }
}

function promiseOf<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
