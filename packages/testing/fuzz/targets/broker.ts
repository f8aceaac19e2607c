// A running broker and streams of a hostile client: mutated frames of every API, greeted or not, cut anywhere.
// Holds: whatever comes is answered or closed; no handler is surprised; sockets are given back; and a good client is
// served after every few of them, with everything there that it was promised.
import { errorName } from '@minikafka/protocol'
import { decodeError } from '../../../protocol/src/codec/index.ts'
import { BrokerStage } from '../broker-stage.ts'
import { keptInputs } from '../corpus.ts'
import { type Dice, diceOf } from '../dice.ts'
import { mutate } from '../mutate.ts'
import type { Stranger } from '../stranger.ts'
import { ACCEPTED, Finding, type Session, type Target } from '../target.ts'
import { changedRequest } from '../values.ts'
import { withLength } from './frames.ts'

/** First byte of an input: whether ApiVersions went before. */
const GREETED = 1
/** One world is enough for so many; a broker that is new each time would hide what piles up. */
const SESSION_SIZE = 400

export const broker: Target = {
  name: 'broker',
  share: 120,
  sessionSize: SESSION_SIZE,
  checkEvery: 25,
  rssBytesMax: 300 * 2 ** 20,
  seeds: async () => keptInputs('frames').map(({ input }) => input),
  generate,
  open: async (seed) => new BrokerSession(await BrokerStage.open(seed)),
}

function generate(dice: Dice, seeds: readonly Buffer[]): Buffer {
  const frames: Buffer[] = []
  for (let count = dice.small(4); count > 0; count--) {
    const seed = dice.pick(seeds)
    frames.push(dice.chance(0.2) ? seed : changed(seed, seeds, dice))
  }
  return Buffer.concat([Buffer.of(dice.chance(0.85) ? GREETED : 0), ...frames])
}

/** Half of them well formed: what breaks the protocol never reaches a handler. */
function changed(seed: Buffer, seeds: readonly Buffer[], dice: Dice): Buffer {
  const request = dice.chance(0.6) ? changedRequest(seed, dice) : undefined
  if (request !== undefined) return request
  const mutant = mutate(seed, dice, seeds)
  return dice.chance(0.9) ? withLength(mutant) : mutant
}

class BrokerSession implements Session {
  readonly #stage: BrokerStage

  constructor(stage: BrokerStage) {
    this.#stage = stage
  }

  async feed(input: Buffer): Promise<string> {
    const stage = this.#stage
    const stranger = await stage.dial()
    const isGreeted = input[0] === GREETED
    if (isGreeted) stranger.greet()
    await this.#sendInPieces(stranger, stage.withTopicId(input.subarray(1)))
    stranger.end()
    await stage.broker.settled()
    const answer = answerOf(stranger, isGreeted)
    stranger.destroy()
    await stage.broker.settled()
    stage.expectNoSurprise()
    return answer
  }

  async #sendInPieces(stranger: Stranger, bytes: Buffer): Promise<void> {
    const dice = diceOf(bytes, 'pieces')
    for (let at = 0; at < bytes.length; ) {
      const size = dice.chance(0.8) ? bytes.length : 1 + dice.below(200)
      stranger.send(bytes.subarray(at, at + size))
      at += size
      if (dice.chance(0.5)) await this.#stage.broker.settled()
    }
  }

  check(): Promise<void> {
    return this.#stage.check()
  }

  close(): Promise<void> {
    return this.#stage.close()
  }
}

/** The last thing that the broker said. */
function answerOf(stranger: Stranger, isGreeted: boolean): string {
  const frames = stranger.frames()
  if (isGreeted && frames.length === 0) throw new Finding('a greeting was not answered')
  const last = frames.at(-1)
  if (last === undefined || (isGreeted && frames.length === 1)) return 'no answer'
  const error = decodeError(last)
  return error === undefined ? ACCEPTED : errorName(error.code)
}
