// What probe.cjs wrote down of the broker, a line a second.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export type Look = {
  /** Of that second. */
  readonly loopP99Ms: number
  readonly loopMaxMs: number
  /** What keeps the loop alive: sockets, timers, requests to the pool. */
  readonly handles: number
  readonly rss: number
  readonly heapUsed: number
  readonly arrayBuffers: number
  /** Where garbage was collected in that second: what is left of the heap. */
  readonly liveHeap?: number
}

export class Probe {
  readonly file: string
  #taken = 0

  constructor(folder: string) {
    this.file = join(folder, 'probe.jsonl')
  }

  /** Since the last call. */
  take(): Look[] {
    const text = existsSync(this.file) ? readFileSync(this.file, 'utf8') : ''
    // A last line without its end is still being written.
    const lines = text.split('\n').slice(0, -1)
    const looks = lines.slice(this.#taken).map((line) => JSON.parse(line) as Look)
    this.#taken = lines.length
    return looks
  }
}

export function worst(looks: readonly Look[], key: 'loopP99Ms' | 'loopMaxMs'): number {
  return looks.reduce((most, look) => Math.max(most, look[key]), 0)
}
