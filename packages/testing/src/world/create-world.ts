// One world: nodes with disks, wires between them, one clock, all from a seed, in this process.
// Enters: a seed and how time passes. Leaves: an Env for each node's code, and the power over all of it.
import { type Env, nodeEnv, type Page, realTurn, type Signal } from '@minikafka/platform'
import { type BuggifyPoint, BuggifyPoints } from './buggify-points.ts'
import { type DiskFaults, diskFaults } from './disk/disk-faults.ts'
import { durationMs } from './duration.ts'
import { Generator } from './generator.ts'
import type { Ground } from './ground.ts'
import { HostSockets } from './host/host-network.ts'
import { type Latency, NO_LATENCY } from './latency.ts'
import { type LogLine, LogLines } from './log-lines.ts'
import { type NetworkFaults, networkFaults } from './network/network-faults.ts'
import { Wires } from './network/wires.ts'
import type { ClockFaults } from './node-clock.ts'
import { NodeState, type ProcessOptions, type Surroundings } from './node-state.ts'
import type { Death, Process } from './process.ts'
import { RunningHash } from './running-hash.ts'
import { Scheduler } from './scheduler.ts'
import { SimPages } from './sim-http-server.ts'
import type { SimOutput } from './sim-program.ts'
import type { WaitOptions, World, WorldOptions } from './world.ts'
import { WorldClock } from './world-clock.ts'

const START_WALL_MS = Date.UTC(2026, 0, 1)
const WAIT_TIMEOUT_MS = 60_000
const PID_FIRST = 1000
const DISK_LATENCY: Latency = { minMs: 0.05, maxMs: 4 }
const NETWORK_LATENCY: Latency = { minMs: 0.05, maxMs: 2 }

export function createWorld(options: WorldOptions): World {
  return new SimulatedWorld(options)
}

class SimulatedWorld implements World {
  readonly seed: number
  readonly clock: WorldClock
  readonly network: NetworkFaults
  readonly failures: unknown[] = []
  readonly #ground: Ground
  readonly #lines: LogLines
  readonly #pages = new SimPages()
  readonly #surroundings: Surroundings
  readonly #nodes = new Map<string, NodeState>()
  readonly #exitCodes = new Map<string, number>()

  constructor(options: WorldOptions) {
    this.seed = options.seed
    this.#ground = layGround(options, (owner, error) => this.#crashed(owner, error))
    this.clock = new WorldClock(this.#ground)
    this.#lines = new LogLines(this.#ground.hash)
    const wires = new Wires(this.#ground)
    const hostSockets = new HostSockets()
    this.network = networkFaults(this.#ground, wires, hostSockets)
    let pid = PID_FIRST
    this.#surroundings = {
      ground: this.#ground,
      wires,
      lines: this.#lines,
      hostSockets,
      pages: this.#pages,
      real: nodeEnv(),
      logLevel: options.logLevel ?? 'info',
      nextPid: () => pid++,
      exited: (owner, code) => this.#exited(owner, code),
    }
  }

  env(node: string, options: ProcessOptions = {}): Env {
    return this.#node(node).running.at(-1)?.env ?? this.start(node, options)
  }

  start(node: string, options: ProcessOptions = {}): Env {
    this.#exitCodes.delete(node)
    return this.#node(node).start(options).env
  }

  pid(node: string): number | undefined {
    return this.#node(node).running.at(-1)?.owner.facts.pid
  }

  kill(node: string): void {
    this.#node(node).die('kill')
  }

  powerCut(node: string): void {
    this.#node(node).die('powerCut')
  }

  signal(node: string, signal: Signal): void {
    for (const { program } of this.#node(node).running) program.signal(signal)
  }

  pause(node: string): void {
    this.#node(node).pause()
  }

  resume(node: string): void {
    this.#node(node).resume()
  }

  limitDescriptors(node: string, max = Number.POSITIVE_INFINITY): void {
    this.#node(node).limits.descriptorsMax = max
  }

  clockOf(node: string): ClockFaults {
    return this.#node(node).clock
  }

  askPage(node: string, port: number, path: string, method?: string): Promise<Page> {
    return this.#pages.ask(node, port, path, method)
  }

  disk(node: string): DiskFaults {
    const state = this.#node(node)
    return diskFaults(state.disk, () => state.running.length > 0)
  }

  stdout(node: string): string {
    return textOf(this.#node(node).last?.program.stdout)
  }

  stderr(node: string): string {
    return textOf(this.#node(node).last?.program.stderr)
  }

  exitCode(node: string): number | undefined {
    return this.#exitCodes.get(node)
  }

  logs(): readonly LogLine[] {
    return this.#lines.list()
  }

  buggifyPoints(): readonly BuggifyPoint[] {
    return this.#ground.buggify.list()
  }

  get eventCount(): number {
    return this.#ground.scheduler.eventCount
  }

  async until(holds: () => boolean, options: WaitOptions = {}): Promise<void> {
    this.#throwFailure()
    const timeoutMs = durationMs(options.timeout ?? WAIT_TIMEOUT_MS)
    if (await this.#ground.scheduler.until(holds, timeoutMs)) return
    const pending = this.clock.pending().slice(0, 20)
    const left = pending.length === 0 ? ['nothing'] : pending
    const what = options.what ?? `that ${holds}`
    const lines = [`in ${timeoutMs} ms the world never saw ${what}; what waits:`, ...left]
    throw new Error([...lines, `seed ${this.seed}`].join('\n'))
  }

  async complete<T>(work: Promise<T>, options: WaitOptions = {}): Promise<T> {
    let settled = false
    const settle = () => {
      settled = true
    }
    work.then(settle, settle)
    await this.until(() => settled, { what: 'the end of this work', ...options })
    return await work
  }

  settled(options: WaitOptions = {}): Promise<void> {
    const { scheduler } = this.#ground
    return this.until(() => !scheduler.busy, { what: 'everything come to rest', ...options })
  }

  leftovers(): string[] {
    const held = [...this.#nodes.values()].flatMap(({ name, running }) =>
      running.flatMap(({ owner }) => owner.held().map((about) => `${name}: ${about}`)),
    )
    return [...held, ...this.clock.pending()]
  }

  hash(): string {
    return this.#ground.hash.digest()
  }

  close(): void {
    this.#ground.scheduler.close()
    this.#throwFailure()
  }

  #node(name: string): NodeState {
    let node = this.#nodes.get(name)
    if (node === undefined) {
      node = new NodeState(name, this.#surroundings)
      this.#nodes.set(name, node)
    }
    return node
  }

  /** An exit that was asked for is no failure, whatever its code. */
  #exited(owner: Process, code: number): void {
    this.#exitCodes.set(owner.node, code)
    this.#end(owner, 'kill')
  }

  /** As an uncaught error ends a real process, after its last words. */
  #crashed(owner: Process | undefined, error: unknown): void {
    this.failures.push(error)
    if (owner !== undefined) {
      const running = this.#node(owner.node).running.find((one) => one.owner === owner)
      running?.program.lastWords(error)
      this.#exitCodes.set(owner.node, 1)
      this.#end(owner, 'kill')
    }
    this.#ground.scheduler.fail(error)
  }

  #end(owner: Process, how: Death): void {
    owner.die(how)
    this.#ground.scheduler.cancelAllOf(owner)
  }

  #throwFailure(): void {
    if (this.failures.length > 0) throw this.failures[0]
  }
}

function layGround(
  options: WorldOptions,
  crashed: (owner: Process | undefined, error: unknown) => void,
): Ground {
  const { seed, clock: mode = 'held', realIo, trace } = options
  const realClock = nodeEnv().clock
  const hash = new RunningHash()
  const scheduler = new Scheduler({
    seed,
    mode,
    turn: realTurn,
    realClock,
    hash,
    realIo,
    crashed,
    trace,
  })
  const jumping = mode === 'jumping'
  return {
    seed,
    scheduler,
    hash,
    startWallMs: options.startWallMs ?? (mode === 'real' ? realClock.wallMs() : START_WALL_MS),
    diskLatency: options.diskLatency ?? (jumping ? DISK_LATENCY : NO_LATENCY),
    networkLatency: options.networkLatency ?? (jumping ? NETWORK_LATENCY : NO_LATENCY),
    networkDice: new Generator(seed, 'network'),
    buggify: new BuggifyPoints(seed, options.buggify ?? false),
  }
}

function textOf(output: SimOutput | undefined): string {
  return output?.text ?? ''
}
