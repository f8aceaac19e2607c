// Values of every API: drawn by fast-check from the definitions, or true ones in which a few were changed, so that a
// frame is well formed and says what nobody would say.
import { apis, errors } from '@minikafka/protocol'
import fc from 'fast-check'
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../protocol/src/codec/index.ts'
import { anyRequest, anyResponse, apiNames } from '../../protocol/test/arbitrary.ts'
import type { Dice } from './dice.ts'

export { apiNames }

type Name = (typeof apiNames)[number]

const LENGTH_SIZE = 4
const NUMBERS = [-2, -1, 0, 1, 2, 3, 100, 2 ** 31 - 1, -(2 ** 31), 2 ** 40, Number.MAX_SAFE_INTEGER]
const TEXTS = ['', '__proto__', 'constructor', '..', 'orders', 'ü', '\u0000', 'x'.repeat(300), '-1']
const CODES = Object.values(errors).map(({ code }) => code)
const COPIES = 3

/** The version in which an API has all of its fields. */
export function newest(api: Name): number {
  return apis[api].versions[1]
}

export function drawRequest(dice: Dice): { readonly api: Name; readonly request: object } {
  return drawn(anyRequest, dice)
}

export function drawResponse(dice: Dice): { readonly api: Name; readonly response: object } {
  return drawn(anyResponse, dice)
}

function drawn<T>(arbitrary: fc.Arbitrary<T>, dice: Dice): T {
  const [value] = fc.sample(arbitrary, { seed: dice.uint32() | 0, numRuns: 1 })
  return value as T
}

/** A request with its length, some of its values changed; undefined: they would not fit the definition. */
export function changedRequest(frame: Buffer, dice: Dice): Buffer | undefined {
  const decoded = decodeRequest(frame.subarray(LENGTH_SIZE))
  if (decoded.kind === 'refused') return undefined
  const { api, version, correlationId } = decoded
  const request = changed(decoded.request, dice)
  return encoded(() => encodeRequest(api as Name, version, correlationId, request as never))
}

/** An answer without its length. */
export function changedAnswer(api: Name, frame: Buffer, dice: Dice): Buffer | undefined {
  const decoded = decodeResponse(api, newest(api), frame)
  if ('error' in decoded) return undefined
  const response = changed(decoded.response, dice)
  return encoded(() => encodeResponse(api, newest(api), 1, response as never))?.subarray(
    LENGTH_SIZE,
  )
}

function encoded(encode: () => Uint8Array[]): Buffer | undefined {
  try {
    return Buffer.concat(encode())
  } catch {
    return undefined
  }
}

/** One to four values of it are others. */
function changed(value: unknown, dice: Dice): unknown {
  let result = value
  for (let count = dice.small(4); count > 0; count--) result = changedOnce(result, dice)
  return result
}

function changedOnce(value: unknown, dice: Dice): unknown {
  if (Array.isArray(value)) return changedList(value, dice)
  if (value instanceof Uint8Array) return dice.chance(0.5) ? dice.bytes(dice.below(100)) : value
  if (typeof value === 'object' && value !== null) {
    const names = Object.keys(value)
    const name = dice.pick(names)
    if (name === undefined) return value
    const before = (value as Record<string, unknown>)[name]
    return { ...value, [name]: name === 'errorCode' ? dice.pick(CODES) : changedOnce(before, dice) }
  }
  return changedLeaf(value, dice)
}

function changedList(list: readonly unknown[], dice: Dice): unknown[] {
  if (list.length === 0 || dice.chance(0.1)) return []
  const at = dice.below(list.length)
  if (dice.chance(0.15)) return [...list, ...Array(dice.small(COPIES)).fill(list[at])]
  if (dice.chance(0.1)) return list.toReversed()
  return list.with(at, changedOnce(list[at], dice))
}

function changedLeaf(value: unknown, dice: Dice): unknown {
  if (dice.chance(0.05)) return null
  if (typeof value === 'number') {
    return dice.chance(0.3) ? value + dice.pick([1, -1]) : dice.pick(NUMBERS)
  }
  if (typeof value === 'boolean') return !value
  if (typeof value === 'string') return dice.chance(0.7) ? dice.pick(TEXTS) : value.slice(1)
  return dice.pick([...NUMBERS, ...TEXTS])
}
