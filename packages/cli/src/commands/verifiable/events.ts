// The events of Kafka's verifiable tools: one JSON object a line, timestamp and name first.
import type { Session } from '../../session.ts'
import { UsageError } from '../../usage-error.ts'

export class Events {
  readonly #session: Session
  /** Ends when all events so far are printed, in their order. */
  #printed: Promise<void> = Promise.resolve()

  constructor(session: Session) {
    this.#session = session
  }

  tell(name: string, fields: object = {}): void {
    const timestamp = this.#session.env.clock.wallMs()
    const line = `${JSON.stringify({ timestamp, name, ...fields })}\n`
    this.#printed = this.#printed.then(() => this.#session.print(line))
    // It is thrown where it is waited for.
    this.#printed.catch(() => undefined)
  }

  printed(): Promise<void> {
    return this.#printed
  }
}

/** -1: no bound. */
export function boundOf(flag: string, text: string | undefined): number {
  if (text === undefined || text === '-1') return Number.POSITIVE_INFINITY
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`${flag} ${text}: expected a number, or -1`)
  return Number(text)
}
