// Random operations for the compliance suite. Numbers stand for leases and revisions, which only the run knows.
import fc from 'fast-check'

export type Compare =
  | { readonly kind: 'exists' | 'right' | 'wrong'; readonly key: string }
  | { readonly kind: 'value'; readonly key: string; readonly value: string }

export type StepOp =
  | {
      readonly op: 'put'
      readonly key: string
      readonly value: string
      readonly lease: number | undefined
    }
  | { readonly op: 'putIgnoreLease'; readonly key: string; readonly value: string }
  | { readonly op: 'delete' | 'get'; readonly key: string }
  | { readonly op: 'deletePrefix' | 'getPrefix'; readonly prefix: string }

export type Step =
  | {
      readonly step: 'txn'
      readonly compares: readonly Compare[]
      readonly success: readonly StepOp[]
      readonly failure: readonly StepOp[]
    }
  | {
      readonly step: 'range'
      readonly prefix: string
      readonly limit: number | undefined
      readonly after: string | undefined
      readonly back: number | undefined
    }
  | { readonly step: 'grant'; readonly ttlMs: number }
  | { readonly step: 'keepAlive' | 'revoke'; readonly lease: number }
  | { readonly step: 'advance'; readonly ms: number }

const KEYS = ['a', 'a/1', 'a/10', 'a/2', 'aa', 'b', 'b/__proto__', 'constructor']
const PREFIXES = ['', 'a', 'a/', 'a/1', 'b', 'c']
const VALUES = ['', 'x', 'y', '{"v":1,"name":"\u00e4\u{1f600}"}']

const key = fc.constantFrom(...KEYS)
const prefix = fc.constantFrom(...PREFIXES)
const value = fc.constantFrom(...VALUES)
const lease = fc.nat(3)

const compare: fc.Arbitrary<Compare> = fc.oneof(
  fc.record({ kind: fc.constantFrom('exists', 'right', 'right', 'wrong'), key }),
  fc.record({ kind: fc.constant('value'), key, value }),
)

const op: fc.Arbitrary<StepOp> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('put'),
      key,
      value,
      lease: fc.option(lease, { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('putIgnoreLease'), key, value }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constantFrom('delete', 'get'), key }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constantFrom('deletePrefix', 'getPrefix'), prefix }) },
)

/** No key put twice, or put and deleted: what is refused has tests of its own. */
const ops = fc
  .array(op, { maxLength: 4 })
  .map((list) => list.filter((one, index) => isAllowed(list.slice(0, index), one)))

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        step: fc.constant('txn'),
        compares: fc.array(compare, { maxLength: 2 }),
        success: ops,
        failure: ops,
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        step: fc.constant('range'),
        prefix,
        limit: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
        after: fc.option(key, { nil: undefined }),
        back: fc.option(fc.nat(5), { nil: undefined }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ step: fc.constant('grant'), ttlMs: fc.constantFrom(5_000, 20_000) }),
    },
    { weight: 2, arbitrary: fc.record({ step: fc.constantFrom('keepAlive', 'revoke'), lease }) },
    {
      weight: 2,
      arbitrary: fc.record({ step: fc.constant('advance'), ms: fc.constantFrom(3_000, 10_000) }),
    },
  ),
  { maxLength: 40, size: 'max' },
) as fc.Arbitrary<Step[]>

function isAllowed(before: readonly StepOp[], next: StepOp): boolean {
  return before.every(
    (one) => !(isPut(one) && touches(next, one.key)) && !(isPut(next) && touches(one, next.key)),
  )
}

function isPut(op: StepOp): op is Extract<StepOp, { value: string }> {
  return op.op === 'put' || op.op === 'putIgnoreLease'
}

/** Writes to the key. */
function touches(op: StepOp, key: string): boolean {
  if (op.op === 'deletePrefix') return key.startsWith(op.prefix)
  return (isPut(op) || op.op === 'delete') && op.key === key
}
