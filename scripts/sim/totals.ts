// What many seeds did together: the denominators. Enters: outcomes. Leaves: lines for a person.
import type { Outcome } from './scenarios.ts'

export class Totals {
  seeds = 0
  readonly failed: number[] = []
  #events = 0
  #virtualMs = 0
  readonly #counts = new Map<string, number>()
  readonly #branches = new Map<string, number>()
  readonly #beganMs = performance.now()
  determinismChecks = 0

  add({ seed, violation, counts, events, virtualMs, buggify }: Outcome): void {
    this.seeds++
    if (violation !== undefined) this.failed.push(seed)
    this.#events += events
    this.#virtualMs += virtualMs
    for (const [name, count] of Object.entries(counts))
      this.#counts.set(name, (this.#counts.get(name) ?? 0) + count)
    for (const [name, count] of Object.entries(buggify))
      this.#branches.set(name, (this.#branches.get(name) ?? 0) + count)
  }

  get count(): (name: string) => number {
    return (name) => this.#counts.get(name) ?? 0
  }

  progress(): string {
    const acked = this.count('acked')
    return `${this.seeds} seeds, ${this.failed.length} failed, ${acked} acknowledged records, ${this.#speed()}`
  }

  lines(): string[] {
    const faults = this.#named('fault ')
    const admin = this.#named('admin ')
    const records = ['acked', 'not-written', 'unknown', 'read', 'processed', 'judged records']
    return [
      `seeds                 ${this.seeds}, ${this.failed.length} failed`,
      `faults                ${sum(faults)}: ${list(faults)}`,
      `administration        ${sum(admin)}: ${list(admin)}`,
      `broker starts         ${this.count('starts')}`,
      `records               ${this.#counted(records)}`,
      ...this.#groupLines(),
      `rare branches         ${list([...this.#branches].filter(([, count]) => count > 0))}; never taken: ${this.#neverTaken()}`,
      `events                ${this.#events}`,
      `virtual time          ${Math.round(this.#virtualMs / 1000)} s, ${this.#speed()}`,
      `run twice             ${this.determinismChecks} seeds, in two processes, with the same hash`,
    ]
  }

  /** None where no seed had a group. */
  #groupLines(): string[] {
    if (this.count('heartbeats') === 0) return []
    const duplicates = this.#named('duplicate ')
    const partitions = this.#named('partitions ')
    const errors = this.#named('member error ')
    const logs = ['judged logs of groups', 'compacted logs of groups']
    return [
      `groups                ${this.#counted(['rebalances', 'heartbeats', ...logs])}`,
      `partitions            ${list(partitions)}`,
      `commits               ${this.#counted(['commits accepted', 'commits refused', 'resets'])}`,
      `processed once more   ${sum(duplicates)}, explained by: ${list(duplicates)}`,
      `members were told     ${list(errors)}`,
    ]
  }

  #counted(names: readonly string[]): string {
    const counted = names.map((name): [string, number] => [name, this.count(name)])
    return list(counted.filter(([, count]) => count > 0))
  }

  #neverTaken(): string {
    const names = [...this.#branches].filter(([, count]) => count === 0).map(([name]) => name)
    return names.length === 0 ? 'none' : names.join(', ')
  }

  #named(prefix: string): [string, number][] {
    return [...this.#counts]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, count]): [string, number] => [name.slice(prefix.length), count])
      .sort(([, a], [, b]) => b - a)
  }

  #speed(): string {
    const realMs = performance.now() - this.#beganMs
    const perSecond = ((this.seeds * 1000) / realMs).toFixed(2)
    return `${(this.#virtualMs / realMs).toFixed(1)} x real time, ${perSecond} seeds/s`
  }
}

function list(counts: readonly [string, number][]): string {
  return counts.map(([name, count]) => `${count} ${name}`).join(', ')
}

function sum(counts: readonly [string, number][]): number {
  return counts.reduce((total, [, count]) => total + count, 0)
}
