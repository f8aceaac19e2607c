// The time for which one member reads one partition: from when it was given to when it was given up, lost, or the
// process died. Enters: what is handed out and finished in it. Leaves: what explains that others do something once more.

/** `released`: in order, after the last commit. */
export type End = 'released' | 'lost' | 'crashed'

export class Tenure {
  /** Its process, among all of the run. */
  readonly life: Life
  readonly beganMs: number
  /** What was surely committed before, and what may have been at most. */
  readonly floor: number
  /** The first record of it; undefined: none yet. */
  first: number | undefined
  /** The offset that follows what was handed out last; undefined: it may go back. */
  next: number | undefined
  end: { readonly how: End; readonly atMs: number; readonly unfinishedFrom: number } | undefined
  /** When reading began once more behind what was not finished. */
  reentriesMs: number[] = []
  /** Of the record that was handed out last: aborts when the partition has to be given up. */
  signal: AbortSignal | undefined
  readonly #inHand = new Set<number>()

  constructor(life: Life, beganMs: number, floor: number) {
    this.life = life
    this.beganMs = beganMs
    this.floor = floor
  }

  hand(offset: number): void {
    this.#inHand.add(offset)
  }

  finish(offset: number): void {
    this.#inHand.delete(offset)
  }

  /** The first that was handed out and is not finished; Infinity: there is none. */
  get unfinishedFrom(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.#inHand)
  }

  /** What is lost after it was released is lost. */
  over(how: End, atMs: number): void {
    if (this.end?.how === 'crashed') return
    this.end = { how, atMs, unfinishedFrom: this.end?.unfinishedFrom ?? this.unfinishedFrom }
  }
}

/** What a tenure needs to know of the process that it belongs to. */
export type Life = {
  readonly member: string
  /** When it could last not commit, as it said itself, or its close took longer than it may. */
  readonly failedMs: number
  /** Its handlers may let go, be tried again later, or find no time: what is not finished stays so. */
  readonly mayLeaveUnfinished: boolean
  /** It cannot know yet that it is out: it stands still, or an administrator removed it. */
  readonly isStale: boolean
}
