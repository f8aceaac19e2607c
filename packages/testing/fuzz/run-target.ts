// Runs one target: inputs by number, sessions of many inputs, and a tally of what became of them.
// Enters: a target and a range of inputs. Leaves: counts by answer, and findings, each with its input.
import { Dice } from './dice.ts'
import { ACCEPTED, type Session, type Target } from './target.ts'

export type Found = {
  /** undefined: no single input, but what was left after the one before. */
  readonly input: Buffer | undefined
  /** The number that makes it again; -1: from the corpus. */
  readonly index: number
  readonly error: unknown
}

export type Tally = {
  inputs: number
  accepted: number
  /** By the name of the error. */
  readonly refused: Map<string, number>
  readonly found: Found[]
}

export type Range = {
  readonly seed: number
  readonly from: number
  readonly count: number
}

/** Told before an input is made and fed, so that it is known which one never came back. */
export type Watch = { began(index: number, soFar: Tally): void }

const FOUND_MAX = 20

function newTally(): Tally {
  return { inputs: 0, accepted: 0, refused: new Map(), found: [] }
}

/** Inputs `from` to `from + count - 1` of a seed, each always the same. Ends early with many findings. */
export async function runTarget(target: Target, range: Range, watch?: Watch): Promise<Tally> {
  const seeds = await target.seeds()
  const inputOf = (index: number) => {
    return target.generate(new Dice(range.seed, `${target.name} ${index}`), seeds)
  }
  return await new Run(target, range.seed, watch).all(range.from, range.count, inputOf)
}

/** The inputs that are given, the corpus say. */
export async function replay(target: Target, inputs: readonly Buffer[]): Promise<Tally> {
  const inputOf = (index: number) => inputs[index] as Buffer
  return await new Run(target, 1, undefined).all(0, inputs.length, inputOf)
}

class Run {
  readonly #target: Target
  readonly #seed: number
  readonly #watch: Watch | undefined
  readonly #tally = newTally()
  #session: Session | undefined

  constructor(target: Target, seed: number, watch: Watch | undefined) {
    this.#target = target
    this.#seed = seed
    this.#watch = watch
  }

  async all(from: number, count: number, inputOf: (index: number) => Buffer): Promise<Tally> {
    const { sessionSize, checkEvery } = this.#target
    for (let index = from; index < from + count; index++) {
      this.#watch?.began(index, this.#tally)
      await this.#one(index, inputOf)
      const done = index + 1 - from
      const isLast = done === count
      if (isLast || (index + 1) % checkEvery === 0) await this.#orFound(index, 'check')
      if (isLast || (index + 1) % sessionSize === 0) await this.#orFound(index, 'close')
      if (this.#tally.found.length >= FOUND_MAX) break
    }
    await this.#orFound(from + count, 'close')
    return this.#tally
  }

  async #one(index: number, inputOf: (index: number) => Buffer): Promise<void> {
    const tally = this.#tally
    let input: Buffer | undefined
    try {
      input = inputOf(index)
      const sessionNumber = Math.floor(index / this.#target.sessionSize)
      this.#session ??= await this.#target.open((this.#seed * 1_000_003 + sessionNumber) >>> 0)
      const answer = await this.#session.feed(input)
      if (answer === ACCEPTED) tally.accepted++
      else tally.refused.set(answer, (tally.refused.get(answer) ?? 0) + 1)
    } catch (error) {
      tally.found.push({ input, index, error })
      await this.#abandon()
    }
    tally.inputs++
  }

  async #orFound(index: number, what: 'check' | 'close'): Promise<void> {
    const session = this.#session
    if (session === undefined) return
    if (what === 'close') this.#session = undefined
    try {
      await session[what]()
    } catch (error) {
      this.#tally.found.push({ input: undefined, index, error })
      await this.#abandon()
    }
  }

  /** After a finding the session is not to be trusted: how it ends does not matter. */
  async #abandon(): Promise<void> {
    const session = this.#session
    this.#session = undefined
    await session?.close().catch(() => undefined)
  }
}
