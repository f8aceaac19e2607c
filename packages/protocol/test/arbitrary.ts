// Values of every API for property tests, derived from the same definitions as the codec.
import fc from 'fast-check'
import { type ApiName, apis } from '../src/apis/index.ts'
import type { Fields, FieldType } from '../src/define.ts'

/** Lists are kept short; their limit has tests of its own. */
const COUNT_MAX = 4

export function anyOfType(type: FieldType): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case 'int':
      return fc.oneof(
        fc.maxSafeInteger().map((value) => Math.min(Math.max(value, type.min), type.max)),
        fc.constantFrom(type.min, type.max, 0, 127, 128, 255, 256).filter((value) => {
          return value >= type.min && value <= type.max
        }),
      )
    case 'bool':
      return fc.boolean()
    case 'string':
      return fc.oneof(
        fc.string({ unit: 'grapheme', maxLength: 40 }),
        fc.constantFrom('__proto__', 'constructor', 'toString', ''),
      )
    case 'uuid':
      return fc.uuid()
    case 'nullable':
      return fc.option(anyOfType(type.of))
    case 'list':
      return fc.array(anyOfType(type.of), { maxLength: Math.min(COUNT_MAX, type.countMax) })
    case 'struct':
      return anyOfFields(type.fields)
    case 'blob':
      return type.many ? fc.array(blob, { maxLength: COUNT_MAX }) : blob
  }
}

const blob = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))

export function anyOfFields(fields: Fields): fc.Arbitrary<Record<string, unknown>> {
  const entries = Object.entries(fields).map(([name, { type }]) => [name, anyOfType(type)] as const)
  return fc.record(Object.fromEntries(entries), { noNullPrototype: true })
}

export const apiNames = Object.keys(apis) as ApiName[]

/** Any API with a request for it. */
export const anyRequest = fc
  .constantFrom(...apiNames)
  .chain((api) => anyOfFields(apis[api].request.fields).map((request) => ({ api, request })))

export const anyResponse = fc
  .constantFrom(...apiNames)
  .chain((api) => anyOfFields(apis[api].response.fields).map((response) => ({ api, response })))
