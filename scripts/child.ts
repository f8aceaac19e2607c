// A Node process that a script needs for a while: waited for, stopped, and never left behind.
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { undoAtExit } from './at-exit.ts'

export class Child implements AsyncDisposable {
  /** Its exit code, or what else ended it: a signal, an error. */
  readonly exited: Promise<number | string>
  readonly #process: ChildProcess

  constructor(args: readonly string[], variables: Readonly<Record<string, string>> = {}) {
    const env = { ...process.env, ...variables }
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env })
    this.#process = child
    // Listened for from the beginning: a child that is gone says so only once.
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve(code ?? signal ?? 'nobody knows what'))
      child.once('error', ({ message }) => resolve(message))
    })
    const kill = undoAtExit(() => child.kill('SIGKILL'))
    void this.exited.then(kill)
  }

  get pid(): number {
    return this.#process.pid ?? -1
  }

  /** What `read` finds in the first line of stdout that has it. Errors: the child ended before. */
  async find<T>(read: (line: string) => T | undefined): Promise<T> {
    const { stdout } = this.#process
    if (stdout === null) throw new Error('the child has no stdout')
    const lines = createInterface({ input: stdout })
    try {
      for await (const line of lines) {
        const found = read(line)
        if (found !== undefined) return found
      }
    } finally {
      lines.close()
      // What it says later is read and dropped: a full pipe would stop it.
      stdout.resume()
    }
    throw new Error(`the child ended with ${await this.exited} before it was ready`)
  }

  /** All that it says, to its end: also what a killed one had said before. */
  lines(): AsyncIterable<string> {
    const { stdout } = this.#process
    if (stdout === null) throw new Error('the child has no stdout')
    return createInterface({ input: stdout })
  }

  /** Resolves when it ends well. */
  async succeeded(): Promise<void> {
    const ending = await this.exited
    if (ending !== 0) throw new Error(`the child ended with ${ending}`)
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name)
  }

  /** Does no harm to one that is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGTERM')
    await this.exited
  }
}
