// What a test holds of a simulated world: its words, its powers, and its promises.
import type { Env, Page, Signal } from '@minikafka/platform'
import type { BuggifyPoint } from './buggify-points.ts'
import type { DiskFaults } from './disk/disk-faults.ts'
import type { Duration } from './duration.ts'
import type { Latency } from './latency.ts'
import type { LogLine } from './log-lines.ts'
import type { NetworkFaults } from './network/network-faults.ts'
import type { ClockFaults } from './node-clock.ts'
import type { ProcessOptions } from './node-state.ts'
import type { ClockMode } from './scheduler.ts'
import type { WorldClock } from './world-clock.ts'

export type WorldOptions = {
  /** A whole number. The same seed and code give the same run. */
  readonly seed: number
  /** Default `held`. */
  readonly clock?: ClockMode | undefined
  /** How long disks take. Default: nothing on a held or real clock, a little on a jumping one. */
  readonly diskLatency?: Latency | undefined
  readonly networkLatency?: Latency | undefined
  /** Whether `env.random.buggify` may say yes. Default false. */
  readonly buggify?: boolean | undefined
  /** Wall clock at the beginning. Default 2026-01-01 UTC; on a real clock the real one. */
  readonly startWallMs?: number | undefined
  /** Of the loggers. Default `info`. */
  readonly logLevel?: string | undefined
  /** Sockets of this machine are in play: waits give them real time. Default false. */
  readonly realIo?: boolean | undefined
  /** One line an event, to find where two runs part. */
  readonly trace?: ((line: string) => void) | undefined
}

export type WaitOptions = {
  /** Virtual; default 60 s. */
  readonly timeout?: Duration | undefined
  /** What is waited for, to complete the sentence "the world never saw ...". */
  readonly what?: string | undefined
}

export type World = {
  readonly seed: number
  readonly clock: WorldClock
  readonly network: NetworkFaults
  /** For the process that runs on `node`; starts one where none does. */
  env(node: string, options?: ProcessOptions): Env
  /** One more process on `node`. */
  start(node: string, options?: ProcessOptions): Env
  /** Of the process that runs on `node`; undefined: none does. */
  pid(node: string): number | undefined
  /** Ends the node's processes at once; what they wrote stays, their connections are closed by the kernel. */
  kill(node: string): void
  /** What was not synced is kept, dropped or torn; whoever talked to the node hears nothing. */
  powerCut(node: string): void
  /** SIGSTOP: its code stands still, time does not. Its kernel goes on: bytes arrive and wait, connections open. */
  pause(node: string): void
  /** SIGCONT: its timers and completions that are late happen now, in one go. */
  resume(node: string): void
  signal(node: string, signal: Signal): void
  /** So many files and sockets may a process of `node` hold; beyond that it is EMFILE. Default: any number again. */
  limitDescriptors(node: string, max?: number): void
  clockOf(node: string): ClockFaults
  disk(node: string): DiskFaults
  /** One request over HTTP to what listens there, from nowhere; `method`: GET. Errors: NetworkError ECONNREFUSED. */
  askPage(node: string, port: number, path: string, method?: string): Promise<Page>
  /** Of the last process of `node`, also a dead one. */
  stdout(node: string): string
  stderr(node: string): string
  exitCode(node: string): number | undefined
  logs(): readonly LogLine[]
  /** Runs the world until it holds, moving time only as far as needed. */
  until(holds: () => boolean, options?: WaitOptions): Promise<void>
  /** Runs the world until `work` settles, and settles alike. */
  complete<T>(work: Promise<T>, options?: WaitOptions): Promise<T>
  /** Runs the world until nothing is on its way and no disk is at work: only timers are left. */
  settled(options?: WaitOptions): Promise<void>
  /** What is still open or pending, a line each. */
  leftovers(): string[]
  /** Two runs of one seed agree on it. */
  hash(): string
  readonly eventCount: number
  /** The rare branches that were reached; one that no seed ever takes is code that was never tested. */
  buggifyPoints(): readonly BuggifyPoint[]
  /** What code under test threw where nobody could catch it; close() throws the first. */
  readonly failures: readonly unknown[]
  close(): void
}
