// What one group has made of one partition: who reads it, what is done, what is committed.
// Enters: what members are given, do and commit. Leaves: nothing, or the promise that is broken.
//
// A record is done twice only where one of these explains it:
//   reset      an administrator sent the group back, behind it
//   crash      the process that did it died before it was committed
//   fence      who did it was thrown out: too long silent, too slow, removed
//   failure    a handler failed: reading began once more behind a record before it, or ended there
//   unfinished it was released before a record before it was finished: the time for that was over, or its handler let go
//   no commit  it was released, and the last commit failed or found no time
// Where nothing goes wrong there is none.
import { Violation } from '../stage/violation.ts'
import { type End, type Life, Tenure } from './tenure.ts'

type Done = { readonly tenure: Tenure; readonly atMs: number }
export type Handed = { readonly tenure: Tenure; readonly why: string | undefined }
type Reset = { readonly atMs: number; readonly offset: number }

export class Progress {
  readonly #name: string
  readonly #now: () => number
  /** By offset: who did it last. */
  readonly #done = new Map<number, Done>()
  /** All below it was done by somebody. */
  #doneTo = 0
  readonly #tenures = new Map<Life, Tenure>()
  readonly #resets: Reset[] = []
  /** Everything below is surely committed; -1: nothing is. */
  committed = -1
  /** The farthest that anybody asked to commit. */
  #askedTo = 0

  constructor(name: string, now: () => number) {
    this.#name = name
    this.#now = now
  }

  get doneTo(): number {
    return this.#doneTo
  }

  tenureOf(life: Life): Tenure | undefined {
    return this.#tenures.get(life)
  }

  // --- who reads it --------------------------------------------------------------------------

  given(life: Life): void {
    if (this.#tenures.has(life))
      throw new Violation('given-twice', `${life.member} was given ${this.#name}, and has it`)
    this.#tenures.set(life, new Tenure(life, this.#now(), this.committed))
  }

  ended(life: Life, how: End): void {
    const tenure = this.#tenures.get(life)
    tenure?.over(how, this.#now())
    if (how !== 'released') this.#tenures.delete(life)
  }

  /** It has let go of what it released. */
  gone(life: Life): void {
    this.#tenures.delete(life)
  }

  /** Reading begins once more: what was not finished comes again. */
  reenters(life: Life): void {
    const tenure = this.#tenures.get(life)
    if (tenure === undefined) return
    tenure.next = undefined
    tenure.reentriesMs.push(this.#now())
  }

  // --- records -------------------------------------------------------------------------------

  /**
   * A member is given a record; `inOrder`: one after the other.
   *
   * Shape   what explains that it was done before; undefined: it was not.
   * Errors  Violation `not-given`, `start`, `order`, `twice`.
   */
  hand(life: Life, offset: number, inOrder: boolean): Handed {
    const tenure = this.#tenures.get(life)
    const what = `${life.member} is handed ${this.#name} @ ${offset}`
    if (tenure === undefined || tenure.end !== undefined)
      throw new Violation('not-given', `${what}, which it does not have`)
    if (tenure.first === undefined) this.#checkStart(tenure, offset, what)
    tenure.first ??= offset
    if (inOrder && tenure.next !== undefined && offset !== tenure.next)
      throw new Violation('order', `${what} where ${tenure.next} follows`)
    tenure.next = offset + 1
    tenure.hand(offset)
    const before = this.#done.get(offset)
    const why = before && this.#explain(before, tenure, offset)
    if (before !== undefined && why === undefined)
      throw new Violation('twice', this.#told(before, what))
    return { tenure, why }
  }

  /** Where the group stands, and nowhere else. */
  #checkStart({ floor }: Tenure, offset: number, what: string): void {
    if (offset < floor)
      throw new Violation('start', `${what} first, and ${floor} was committed before it was given`)
    if (offset > Math.max(this.#askedTo, floor))
      throw new Violation('start', `${what} first, and nobody committed beyond ${this.#askedTo}`)
  }

  #explain({ tenure, atMs }: Done, now: Tenure, offset: number): string | undefined {
    if (this.#resets.some((reset) => reset.atMs >= atMs && reset.offset <= offset)) return 'reset'
    if (tenure.reentriesMs.some((one) => one >= atMs)) return 'failure'
    const { end, life } = tenure
    if (tenure === now) return undefined
    if (now.life.isStale || (end === undefined && life.isStale)) return 'fence'
    if (end === undefined) return tenure.signal?.aborted ? 'unfinished' : undefined
    if (end.how === 'crashed') return 'crash'
    if (end.how === 'lost') return 'fence'
    if (offset >= end.unfinishedFrom && life.mayLeaveUnfinished) return 'unfinished'
    return life.failedMs >= atMs ? 'no commit' : undefined
  }

  #told({ tenure, atMs }: Done, what: string): string {
    const { life, end } = tenure
    const ended = end === undefined ? 'still has it' : `${end.how} at ${Math.round(end.atMs)} ms`
    const who = `${life.member} did it at ${Math.round(atMs)} ms (${ended})`
    return `${what}: ${who}; committed: ${this.committed}; nothing explains it`
  }

  did(tenure: Tenure, offset: number): void {
    tenure.finish(offset)
    this.#done.set(offset, { tenure, atMs: this.#now() })
    while (this.#done.has(this.#doneTo)) this.#doneTo++
  }

  // --- commits -------------------------------------------------------------------------------

  /** A member asks to commit. Errors: Violation `ahead`: there is a record before it that nobody has done. */
  asks(offset: number, who: string): void {
    this.#askedTo = Math.max(this.#askedTo, offset)
    if (offset <= this.#doneTo) return
    throw new Violation(
      'ahead',
      `${who} commits ${offset} in ${this.#name}, and nobody has done ${this.#doneTo}`,
    )
  }

  /** The answer says that it is kept, or a reader was told so. */
  keeps(offset: number): void {
    this.committed = Math.max(this.committed, offset)
  }

  /** An administrator asks for it: from now on it may stand there. */
  resets(offset: number): void {
    this.#resets.push({ atMs: this.#now(), offset })
    this.#askedTo = Math.max(this.#askedTo, offset)
    this.committed = Math.min(this.committed, offset)
  }
}
