// One node of a world: a disk that outlives its processes, and those that run on it.
import { type Env, lineLogger } from '@minikafka/platform'
import { DiskState } from './disk/disk-state.ts'
import { SimDisk } from './disk/sim-disk.ts'
import { Generator } from './generator.ts'
import type { Ground } from './ground.ts'
import { hostDisk } from './host/host-disk.ts'
import { type HostSockets, hostNetwork } from './host/host-network.ts'
import type { LogLines } from './log-lines.ts'
import { SimNetwork } from './network/sim-network.ts'
import type { Wires } from './network/wires.ts'
import { NodeClock } from './node-clock.ts'
import { type Death, type Limits, Process } from './process.ts'
import { SimClock } from './sim-clock.ts'
import { simCompress } from './sim-compress.ts'
import type { SimPages } from './sim-http-server.ts'
import { type ProgramOptions, SimProgram } from './sim-program.ts'
import { SimRandom } from './sim-random.ts'

/** What a node is made of, besides itself. */
export type Surroundings = {
  readonly ground: Ground
  readonly wires: Wires
  readonly lines: LogLines
  readonly hostSockets: HostSockets
  readonly pages: SimPages
  /** This machine's. */
  readonly real: Env
  readonly logLevel: string
  /** Numbers of processes are drawn in order of their start. */
  readonly nextPid: () => number
  /** A process ended itself. */
  readonly exited: (owner: Process, code: number) => void
}

export type ProcessOptions = ProgramOptions & {
  /** The disk of this machine instead of the node's own: faults and power cuts do not reach it. */
  readonly hostDisk?: boolean | undefined
  /** The sockets of this machine instead of the world's. */
  readonly hostNetwork?: boolean | undefined
  /** Whether `clock.pending()` says who asked for a timer, on a held clock; costs some microseconds each. Default true. */
  readonly namesTimers?: boolean | undefined
  /** While a test lets more than a quarter of an hour pass, its timers may be late: see `clock.advance`. Default false. */
  readonly naps?: boolean | undefined
}

export type Running = { readonly owner: Process; readonly env: Env; readonly program: SimProgram }

export class NodeState {
  readonly name: string
  readonly clock: NodeClock
  readonly disk: DiskState
  readonly limits: Limits = { descriptorsMax: Number.POSITIVE_INFINITY }
  readonly #surroundings: Surroundings
  #running: Running[] = []
  #startedCount = 0
  #last: Running | undefined

  constructor(name: string, surroundings: Surroundings) {
    this.name = name
    this.#surroundings = surroundings
    const { ground } = surroundings
    this.clock = new NodeClock(ground)
    this.disk = new DiskState(ground, this.clock, new Generator(ground.seed, `disk ${name}`))
  }

  get running(): readonly Running[] {
    this.#running = this.#running.filter(({ owner }) => owner.alive)
    return this.#running
  }

  /** Also when it is dead. */
  get last(): Running | undefined {
    return this.#last
  }

  start(options: ProcessOptions): Running {
    const { ground, wires, hostSockets, pages, real, nextPid, exited } = this.#surroundings
    const name = `${this.name} ${this.#startedCount++}`
    const ties = new Generator(ground.seed, `ties ${name}`)
    const { namesTimers = true, naps = false } = options
    const startedAtMs = ground.scheduler.nowMs
    const facts = { node: this.name, pid: nextPid(), startedAtMs, ties, namesTimers, naps }
    const owner = new Process({ ...facts, limits: this.limits })
    wires.powerOn(this.name)
    const program = new SimProgram(ground, owner, options, (code) => exited(owner, code))
    const env: Env = {
      clock: new SimClock(ground.scheduler, this.clock, owner),
      random: new SimRandom(ground.seed, name, ground.buggify),
      disk: options.hostDisk
        ? hostDisk(ground, owner, real.disk)
        : new SimDisk(ground, owner, this.disk),
      network: options.hostNetwork
        ? hostNetwork(owner, hostSockets, real.network)
        : new SimNetwork(ground, wires, owner),
      httpServer: pages.serverOf(owner),
      compress: simCompress(ground, owner, real.compress),
      program,
      logger: this.#logger(owner),
    }
    const running = { owner, env, program }
    this.#running.push(running)
    this.#last = running
    return running
  }

  /** Ends what runs here; the disk keeps what was written, or what was synced. */
  die(how: Death): void {
    const { ground, wires } = this.#surroundings
    this.#mark(how)
    for (const { owner } of this.running) {
      owner.die(how)
      ground.scheduler.cancelAllOf(owner)
    }
    if (how === 'kill') return
    this.disk.powerCut()
    wires.powerOff(this.name)
  }

  /** SIGSTOP to all that runs here. */
  pause(): void {
    this.#mark('pause')
    for (const { owner } of this.running) this.#surroundings.ground.scheduler.pause(owner)
  }

  resume(): void {
    this.#mark('resume')
    for (const { owner } of this.running) this.#surroundings.ground.scheduler.resume(owner)
  }

  #mark(word: string): void {
    const { hash } = this.#surroundings.ground
    hash.word(word)
    hash.word(this.name)
  }

  #logger(owner: Process) {
    const { ground, lines, logLevel } = this.#surroundings
    return lineLogger({
      level: logLevel,
      wallMs: () => this.clock.wallMs(),
      write: (line) => {
        if (!owner.alive) return
        lines.add({ atMs: ground.scheduler.nowMs, node: this.name, text: line.trimEnd() })
      },
    })
  }
}
