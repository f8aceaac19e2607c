// How a test's week passes in milliseconds: what brokers and clients do again and again while nothing happens is passed
// over. They see what a process sees on a machine that was suspended for a while: each timer that was due meanwhile fires
// once, late, in the order of their times. Enters: how long time shall pass. Leaves: how far it goes at once.

/** A nap is so small a part of what passes: nothing is late by more than three per cent of it. */
const NAPS = 32
/** Below, every timer is on time: up to 16 minutes cost little. */
const NAP_MS_MIN = 30_000
/** So long nobody naps after something has happened, and before something will: what follows from it is on time. */
const AWAKE_MS = 60_000

/** The longest nap while so much passes; undefined: none. */
export function napMsOf(delayMs: number): number | undefined {
  const napMs = delayMs / NAPS
  return napMs < NAP_MS_MIN ? undefined : napMs
}

export class Naps {
  #awakeUntilMs = 0

  /** Something happens that is no routine. */
  stayAwake(nowMs: number): void {
    this.#awakeUntilMs = Math.max(this.#awakeUntilMs, nowMs + AWAKE_MS)
  }

  mayBegin(nowMs: number): boolean {
    return nowMs >= this.#awakeUntilMs
  }

  /** At `stopMs` something happens that is no routine. */
  endMs(nowMs: number, napMs: number, stopMs: number): number {
    return Math.min(nowMs + napMs, stopMs - AWAKE_MS)
  }
}
