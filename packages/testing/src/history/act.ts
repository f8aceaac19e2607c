// An operation from its beginning to its end: the two lines of the history put together.
// Enters: the history. Leaves: acts in the order in which they began. Errors: RangeError for a history that cannot be.
import type { Operation, Partition, Step } from './operation.ts'

export type Act = {
  /** In the order of beginnings. */
  readonly index: number
  readonly process: number
  readonly call: Operation['call']
  /** Positions in the history; what never ended ends at Infinity. */
  readonly began: number
  readonly beganMs: number
  ended: number
  endedMs: number
  outcome: 'ok' | 'fail' | 'info'
  /** Its last line, for people: the outcome, or the `invoke` of one that has none. */
  operation: Operation
}

export function stepsOf(act: Act): readonly Step[] {
  return act.operation.steps
}

export function rebalancedIn(act: Act): readonly Partition[] {
  return act.operation.rebalanced ?? []
}

export function pairUp(history: readonly Operation[]): Act[] {
  const acts: Act[] = []
  const open = new OpenActs()
  for (const [position, operation] of history.entries()) {
    if (operation.type === 'invoke') {
      const act = begin(acts.length, position, operation)
      open.add(act)
      acts.push(act)
      continue
    }
    let act = open.take(operation)
    if (act === undefined) {
      act = begin(acts.length, position, operation)
      acts.push(act)
    }
    end(act, position, operation, operation.type)
  }
  return acts
}

function begin(index: number, position: number, operation: Operation): Act {
  return {
    index,
    process: operation.process,
    call: operation.call,
    began: position,
    beganMs: operation.timeMs,
    ended: Infinity,
    endedMs: Infinity,
    outcome: 'info',
    operation,
  }
}

function end(act: Act, position: number, operation: Operation, outcome: Act['outcome']): void {
  act.ended = position
  act.endedMs = operation.timeMs
  act.outcome = outcome
  act.operation = operation
}

/** Those that began and did not end, by process and id. */
class OpenActs {
  readonly #byProcess = new Map<number, Map<number | undefined, Act>>()

  add(act: Act): void {
    const { process, id } = act.operation
    let ofProcess = this.#byProcess.get(process)
    if (ofProcess === undefined) {
      ofProcess = new Map()
      this.#byProcess.set(process, ofProcess)
    }
    if (ofProcess.has(id)) {
      const which = id === undefined ? '' : ` with id ${id}`
      throw new RangeError(
        `operation ${act.began}: process ${process} begins again${which} before it ended; overlapping ones need an id`,
      )
    }
    ofProcess.set(id, act)
  }

  take({ process, id }: Operation): Act | undefined {
    const ofProcess = this.#byProcess.get(process)
    const act = ofProcess?.get(id)
    ofProcess?.delete(id)
    return act
  }
}
