// What comes in at a broker: bytes in random pieces, through the frame reader and the codec of requests.
// Holds: only errors of the protocol; what is accepted comes back the same from an encode and a decode; memory follows
// what arrived; the time, too.
import { isDeepStrictEqual } from 'node:util'
import type { ApiName } from '@minikafka/protocol'
import { decodeRequest, encodeRequest } from '../../../protocol/src/codec/index.ts'
import { FrameReader } from '../../../protocol/src/rpc/frame-reader.ts'
import { keptInputs } from '../corpus.ts'
import { type Dice, diceOf } from '../dice.ts'
import { linear } from '../linear.ts'
import { mutate } from '../mutate.ts'
import { ACCEPTED, Finding, type Session, type Target } from '../target.ts'
import { drawRequest, newest } from '../values.ts'

const FRAME_BYTES_MAX = 2 ** 20
/** A slab and the first buffer of a large frame; beyond it at most the sixteenfold of what arrived. */
const HELD_BYTES_MIN = 96 * 1024
const HELD_FACTOR = 18
const REFUSALS = ['INVALID_REQUEST', 'UNSUPPORTED_VERSION', 'FRAME_TOO_LARGE']

export const frames: Target = {
  name: 'frames',
  share: 320,
  sessionSize: 10_000,
  checkEvery: 10_000,
  rssBytesMax: 300 * 2 ** 20,
  seeds: async () => keptInputs('frames').map(({ input }) => input),
  generate,
  open: async () => session,
}

function generate(dice: Dice, seeds: readonly Buffer[]): Buffer {
  if (dice.chance(0.3)) return drawnFrame(dice)
  const seed = dice.chance(0.3) || seeds.length === 0 ? drawnFrame(dice) : dice.pick(seeds)
  const mutant = mutate(seed, dice, seeds)
  // A wrong length ends all else that could be looked at.
  return dice.chance(0.8) ? withLength(mutant) : mutant
}

/** One request, whose decoded form is held against what it was made of. */
function drawnFrame(dice: Dice): Buffer {
  const { api, request } = drawRequest(dice)
  const bytes = Buffer.concat(
    encodeRequest(api, newest(api), dice.below(2 ** 31), request as never),
  )
  const decoded = decodeRequest(bytes.subarray(4))
  if (decoded.kind !== 'request' || !isDeepStrictEqual(decoded.request, request)) {
    throw new Finding(`a ${api} is not decoded to what was encoded: ${JSON.stringify(request)}`)
  }
  return bytes
}

export function withLength(frame: Buffer): Buffer {
  if (frame.length >= 4) frame.writeUInt32BE(frame.length - 4, 0)
  return frame
}

const session: Session = {
  feed: (input) => linear(input, () => feed(input)),
  check: async () => {},
  close: async () => {},
}

function feed(input: Buffer): string {
  const memory = new Memory()
  const reader = new FrameReader(FRAME_BYTES_MAX, memory)
  const dice = diceOf(input, 'pieces')
  let answer = 'cut off'
  try {
    for (let at = 0; at < input.length; ) {
      at += arrive(reader, input.subarray(at, at + pieceSize(dice)))
      for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
        memory.release(frame.length)
        answer = worse(answer, answerTo(frame))
      }
      if (memory.bytes > HELD_BYTES_MIN + HELD_FACTOR * at) {
        throw new Finding(`${memory.bytes} bytes are held for ${at} that arrived`)
      }
    }
  } catch (error) {
    answer = refusalOf(error)
  }
  reader.close()
  if (memory.bytes !== 0) throw new Finding(`${memory.bytes} bytes were not given back`)
  return answer
}

function pieceSize(dice: Dice): number {
  return dice.chance(0.5) ? dice.small(9) : 1 + dice.below(5000)
}

/** At most what the reader has room for: the rest comes in the next piece. */
function arrive(reader: FrameReader, piece: Buffer): number {
  const target = reader.target()
  if (target.length === 0) throw new Finding('the reader has no room for a single byte')
  const size = Math.min(target.length, piece.length)
  target.set(piece.subarray(0, size))
  reader.received(size)
  return size
}

function answerTo(frame: Buffer): string {
  const decoded = decodeRequest(frame)
  if (decoded.kind === 'refused') return refusalOf(decoded.error)
  const { api, version, correlationId, request } = decoded
  const again = Buffer.concat(
    encodeRequest(api as ApiName, version, correlationId, request as never),
  )
  const second = decodeRequest(again.subarray(4))
  if (!isDeepStrictEqual(second, decoded)) {
    throw new Finding(`a ${api} is another one after an encode and a decode`)
  }
  return ACCEPTED
}

/** The first refusal of a stream stands for it. */
function worse(before: string, now: string): string {
  return before === 'cut off' || before === ACCEPTED ? now : before
}

export function refusalOf(error: unknown): string {
  const name = error instanceof Error ? error.name : ''
  if (!REFUSALS.includes(name)) throw error
  return name
}

class Memory {
  readonly room = Number.POSITIVE_INFINITY
  bytes = 0
  charge(bytes: number) {
    this.bytes += bytes
  }
  release(bytes: number) {
    this.bytes -= bytes
  }
}
