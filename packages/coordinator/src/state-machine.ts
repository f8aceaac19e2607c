// What a group or a transaction is here: a pure, synchronous state machine (STYLE 3.11).
// Enters: requests and the time, and its own committed records. Leaves: records to append and an answer.

export type Decision<Change, Response> = {
  /** To be appended as one batch, committed and replayed by the host before `response` is given. */
  readonly records: readonly Change[]
  readonly response: Response
  /** Wall clock at which the machine wants to be asked again, if nothing happens before. */
  readonly wakeAt?: number | undefined
}

/** No `env`, no promise, no timer: the host appends, waits and calls. */
export type StateMachine<Request, Change, Response> = {
  /** Decides; hard state stays as it is, for the records may not survive. `nowMs` is wall clock. */
  handle(request: Request, nowMs: number): Decision<Change, Response>
  /** Applies one committed record, after an own append and after a failover alike; decides nothing. */
  replay(offset: number, record: Change): void
}
