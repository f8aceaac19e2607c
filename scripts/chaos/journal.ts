// What the clients of a chaos run did and were told, in the form that the history checker takes.
import type { Operation, Partition, Polled, Step } from '@minikafka/testing'

type Sent = { readonly process: number; readonly partition: Partition; readonly value: string }

export class Journal {
  readonly operations: Operation[] = []
  #id = 0

  sends({ process, partition, value }: Sent) {
    const id = this.#id++
    const note = (type: Operation['type'], step: Step) =>
      this.#note({ process, type, call: 'send', steps: [step], id })
    note('invoke', { send: partition, value })
    return {
      acknowledged: (offset: number) => note('ok', { send: partition, value, offset }),
      notWritten: () => note('fail', { send: partition, value }),
      unknown: () => note('info', { send: partition, value }),
    }
  }

  /** `final`: it read everything there is, after everything else. */
  polled(
    process: number,
    steps: readonly { partition: Partition; records: readonly Polled[] }[],
    final = false,
  ): void {
    const polls = steps.map(({ partition, records }) => ({ poll: partition, records }))
    this.#note({ process, type: 'ok', call: 'poll', steps: polls, final })
  }

  #note(about: Omit<Operation, 'timeMs'>): void {
    this.operations.push({ ...about, timeMs: performance.now() })
  }
}
