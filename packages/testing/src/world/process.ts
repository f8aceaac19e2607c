// One running process of a node: what it holds open, and whether it still lives.
// Its code cannot be stopped from outside, so nothing that it asks for happens once it is dead: its
// timers do not fire, its promises of the disk and the network never settle, what it sends is dropped.
import type { Generator } from './generator.ts'

export type Resource = {
  /** For a person who reads what was left over. */
  readonly about: string
  /** The kernel's part when the process dies: no callback into the dead code. */
  died(how: Death): void
}

/** `kill`: the kernel lives on and closes what was open. `powerCut`: nobody tells anybody anything. */
export type Death = 'kill' | 'powerCut'

/** Of a node, for all its processes. */
export type Limits = { descriptorsMax: number }

export type ProcessFacts = {
  readonly node: string
  readonly pid: number
  readonly startedAtMs: number
  readonly limits: Limits
  /** Breaks ties among its events; its own, so that one more event on a node does not shift the others. */
  readonly ties: Generator
  /** Whether its timers remember who asked for them. */
  readonly namesTimers: boolean
  /** Whether its timers may be late while a test lets hours pass (naps.ts). */
  readonly naps: boolean
}

export class Process {
  readonly node: string
  readonly facts: ProcessFacts
  #alive = true
  #paused = false
  readonly #resources = new Set<Resource>()

  constructor(facts: ProcessFacts) {
    this.node = facts.node
    this.facts = facts
  }

  get alive(): boolean {
    return this.#alive
  }

  /** SIGSTOP: its code does not run, its part of the kernel does. */
  get paused(): boolean {
    return this.#paused
  }

  setPaused(paused: boolean): void {
    this.#paused = paused
  }

  holds(resource: Resource): void {
    this.#resources.add(resource)
  }

  releases(resource: Resource): void {
    this.#resources.delete(resource)
  }

  /** So many more files or sockets are refused: EMFILE. */
  lacksDescriptors(more: number): boolean {
    return this.#resources.size + more > this.facts.limits.descriptorsMax
  }

  held(): string[] {
    return [...this.#resources].map((resource) => resource.about)
  }

  die(how: Death): void {
    if (!this.#alive) return
    this.#alive = false
    const resources = [...this.#resources]
    this.#resources.clear()
    for (const resource of resources) resource.died(how)
  }
}
