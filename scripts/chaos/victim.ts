// The broker that is killed: the built program on one directory and one port, whichever process serves them now.
// Enters: what shall befall it. Leaves: how often each did, and how long each start took.
import { type BrokerChild, launchBroker, startBroker } from '../broker-child.ts'
import { type TemporaryFolder, temporaryFolder } from '../temporary-folder.ts'
import { pass } from './dice.ts'

export class Victim implements AsyncDisposable {
  killCount = 0
  /** Of each start after the first, in ms from the start of the process until it was ready. */
  readonly readyMs: number[] = []
  readonly #folder: TemporaryFolder
  readonly #port: number
  #child: BrokerChild

  static async start(parent: string): Promise<Victim> {
    const folder = temporaryFolder(parent, 'minikafka-chaos-')
    return new Victim(folder, await startBroker(parent, { data: folder.path }))
  }

  private constructor(folder: TemporaryFolder, child: BrokerChild) {
    this.#folder = folder
    this.#port = child.port
    this.#child = child
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`
  }

  get directory(): string {
    return this.#folder.path
  }

  /** SIGKILL, then a new process on the same directory and port. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL', 'SIGKILL')
    await this.#start()
  }

  /** Its successor is killed, too, `delayMs` after it began: ready or in the middle of its recovery. */
  async killTwice(delayMs: number): Promise<void> {
    await this.#end('SIGKILL', 'SIGKILL')
    const second = launchBroker({ data: this.directory, port: this.#port })
    await pass(delayMs)
    second.signal('SIGKILL')
    const ending = await second.exited
    if (ending !== 'SIGKILL') throw new Error(`a start after a kill ended with ${ending}`)
    this.killCount++
    await this.#start()
  }

  /** SIGTERM: it ends in order, with code 0, and is started again. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM', 0)
    await this.#start()
  }

  /** Stands still for so long, as a virtual machine does that is moved. */
  async pause(delayMs: number): Promise<void> {
    this.#child.signal('SIGSTOP')
    await pass(delayMs)
    this.#child.signal('SIGCONT')
  }

  /** Ends in order; the directory stays until the end of the block. */
  async end(): Promise<void> {
    await this.#end('SIGTERM', 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.signal('SIGCONT')
    await this.#child[Symbol.asyncDispose]()
    this.#folder[Symbol.dispose]()
  }

  async #end(signal: NodeJS.Signals, expected: number | string): Promise<void> {
    this.#child.signal(signal)
    const ending = await this.#child.exited
    if (ending !== expected) throw new Error(`the broker got ${signal} and ended with ${ending}`)
    if (signal === 'SIGKILL') this.killCount++
  }

  async #start(): Promise<void> {
    this.#child = await startBroker(this.directory, { data: this.directory, port: this.#port })
    this.readyMs.push(this.#child.readyMs)
  }
}
