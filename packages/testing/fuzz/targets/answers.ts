// What comes in at a client: answers of every API, and errors, through the codec of responses.
// An input is one byte that says which API was asked, then a frame without its length.
import { isDeepStrictEqual } from 'node:util'
import type { ApiName } from '@minikafka/protocol'
import {
  decodeError,
  decodeResponse,
  encodeResponse,
  responseCorrelationId,
} from '../../../protocol/src/codec/index.ts'
import { keptInputs } from '../corpus.ts'
import type { Dice } from '../dice.ts'
import { linear } from '../linear.ts'
import { mutate } from '../mutate.ts'
import { ACCEPTED, Finding, type Session, type Target } from '../target.ts'
import { apiNames, drawResponse, newest } from '../values.ts'

export const answers: Target = {
  name: 'answers',
  share: 180,
  sessionSize: 10_000,
  checkEvery: 10_000,
  rssBytesMax: 300 * 2 ** 20,
  seeds: async () => keptInputs('answers').map(({ input }) => input),
  generate,
  open: async () => session,
}

function generate(dice: Dice, seeds: readonly Buffer[]): Buffer {
  if (dice.chance(0.3)) return drawnAnswer(dice)
  const seed = dice.chance(0.3) || seeds.length === 0 ? drawnAnswer(dice) : dice.pick(seeds)
  const rest = seeds.map((other) => other.subarray(1))
  return Buffer.concat([seed.subarray(0, 1), mutate(seed.subarray(1), dice, rest)])
}

function drawnAnswer(dice: Dice): Buffer {
  const { api, response } = drawResponse(dice)
  const bytes = Buffer.concat(
    encodeResponse(api, newest(api), dice.below(2 ** 31), response as never),
  )
  const decoded = decodeResponse(api, newest(api), bytes.subarray(4))
  if (!('response' in decoded) || !isDeepStrictEqual(decoded.response, response)) {
    throw new Finding(`a ${api} is not decoded to what was encoded: ${JSON.stringify(response)}`)
  }
  return Buffer.concat([Buffer.of(apiNames.indexOf(api)), bytes.subarray(4)])
}

const session: Session = {
  feed: (input) => linear(input, () => feed(input)),
  check: async () => {},
  close: async () => {},
}

function feed(input: Buffer): string {
  const api = apiNames[(input[0] ?? 0) % apiNames.length] as ApiName
  const frame = input.subarray(1)
  try {
    const correlationId = responseCorrelationId(frame)
    const decoded = decodeResponse(api, newest(api), frame)
    if ('error' in decoded) {
      if (decodeError(frame)?.name !== decoded.error.name) throw new Finding('two errors in one')
      return decoded.error.name
    }
    const list = encodeResponse(api, newest(api), correlationId, decoded.response as never)
    const again = decodeResponse(api, newest(api), Buffer.concat(list).subarray(4))
    if (isDeepStrictEqual(again, decoded)) return ACCEPTED
    throw new Finding(`an answer of ${api} is another one after an encode and a decode`)
  } catch (error) {
    if (error instanceof Error && error.name === 'PROTOCOL_VIOLATION') return error.name
    throw error
  }
}
