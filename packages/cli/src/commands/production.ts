// The loop of produce: from chunks of input to records sent, at the rate wanted.
// Enters: chunks. Leaves: everything sent that could be read, or the error of the first record that could not.
import { codeOf, textOf } from '../endings.ts'
import { BadInput } from '../failures.ts'
import type { ReadRecord } from '../grammar/record-reader.ts'
import { Pace } from '../pace.ts'
import { drawProgress } from '../progress.ts'
import type { Session } from '../session.ts'
import type { Input } from './produce-input.ts'
import type { ProducePlan } from './produce-options.ts'
import type { Sender } from './produce-senders.ts'

const NEWLINE = Buffer.from('\n')

export class Production {
  readonly #session: Session
  readonly #plan: ProducePlan
  readonly #sender: Sender
  /** Aborts at a signal of the user, and where a record failed. */
  readonly #stop: AbortSignal
  readonly #pace: Pace
  /** Values to print, with --tee. */
  #teed: Uint8Array[] = []
  #bytesRead = 0

  constructor(session: Session, plan: ProducePlan, sender: Sender, stop: AbortSignal) {
    this.#session = session
    this.#plan = plan
    this.#sender = sender
    this.#stop = stop
    this.#pace = new Pace(session.env, plan.everyMs)
  }

  /** True: all of it was sent; false: it was stopped. */
  async run(input: Input): Promise<boolean> {
    const { reader } = this.#plan
    const stopDrawing = this.#draw(input)
    try {
      for await (const chunk of input.chunks) {
        this.#bytesRead += chunk.length
        reader.push(chunk)
        await this.#sendRead()
        if (this.#done) return !this.#stop.aborted
      }
      reader.end()
      await this.#sendRead()
      return !this.#stop.aborted
    } finally {
      stopDrawing()
      await input.close()
    }
  }

  get #done(): boolean {
    return this.#stop.aborted || this.#sender.sent >= this.#plan.countMax
  }

  /** Sends what was read whole. */
  async #sendRead(): Promise<void> {
    const { reader, complete, tee } = this.#plan
    while (!this.#done) {
      const record = reader.next()
      if (record === undefined) break
      const turn = this.#pace.turn(this.#stop)
      if (turn !== undefined) await this.#wait(turn)
      const room = this.#put(complete(record))
      if (tee) this.#teed.push(record.value ?? Buffer.alloc(0), NEWLINE)
      if (room !== undefined) await this.#wait(room)
    }
    await this.#printTeed()
  }

  #put(record: ReadRecord): undefined | Promise<void> {
    try {
      return this.#sender.put(record)
    } catch (error) {
      const place = this.#plan.reader.place()
      throw new BadInput(`${place}: ${textOf(error)}`, codeOf(error), { cause: error })
    }
  }

  /** Before each wait, what was sent is seen. */
  async #wait(what: Promise<void>): Promise<void> {
    await this.#printTeed()
    await what
  }

  async #printTeed(): Promise<void> {
    if (this.#teed.length === 0) return
    const teed = Buffer.concat(this.#teed)
    this.#teed = []
    await this.#session.print(teed)
  }

  /** What is printed on a terminal is its own progress. */
  #draw({ size }: Input): () => void {
    const { env, verbose } = this.#session
    const { countMax, tee } = this.#plan
    if (env.program.stdout.isTTY && (tee || verbose > 0)) return () => {}
    const records = () => this.#sender.acknowledged()
    if (Number.isFinite(countMax))
      return drawProgress(this.#session, {
        what: 'produced',
        total: countMax,
        done: records,
        unit: 'records',
      })
    const done = () => this.#bytesRead
    return drawProgress(this.#session, {
      ...{ what: 'produced', total: size, done },
      ...{ unit: 'records', count: records },
    })
  }
}
