import { expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { bytes, json, msgpack, nullable, text } from './codecs.ts'
import { sliceOf } from './slice.ts'
import { topic } from './topic.ts'
import type { Codec, Parts } from './types.ts'

test('json and msgpack give back what went in', () => {
  for (const codec of [json<{ a: number[] }>(), msgpack<{ a: number[] }>()]) {
    const encoded = codec.encode({ a: [1, 2] })
    expect(codec.decode(Buffer.from(encoded as Uint8Array))).toEqual({ a: [1, 2] })
  }
  expect(text().decode(Buffer.from('grüße'))).toBe('grüße')
})

test('what JSON has no form for is refused', () => {
  expect(() => json().encode(undefined)).toThrow(/no form for undefined/)
})

test('a schema checks its input and hands out its output: a transform needs no inverse', () => {
  const codec = json(z.object({ at: z.string().transform((value) => new Date(value)) }))
  const encoded = codec.encode({ at: '2026-01-01T00:00:00.000Z' })
  expect(encoded).toBe('{"at":"2026-01-01T00:00:00.000Z"}')
  expect(codec.decode(Buffer.from(encoded as string))).toEqual({ at: new Date('2026-01-01') })
})

test('a value that does not fit names every issue with its path', () => {
  const codec = json(z.object({ cents: z.int(), id: z.string() }))
  const broken = { cents: 1.5, id: 7 } as unknown as { cents: number; id: string }
  try {
    void codec.encode(broken)
    expect.unreachable()
  } catch (error) {
    expect(error).toMatchObject({
      name: 'SCHEMA_MISMATCH',
      issues: [{ path: ['cents'] }, { path: ['id'] }],
    })
  }
  expect(() => codec.decode(Buffer.from('{}'))).toThrow(/cents/)
})

test('an asynchronous schema is awaited both ways', async () => {
  const codec = json(z.string().refine(async (value) => value.length < 3))
  await expect(codec.encode('ab')).resolves.toBe('"ab"')
  await expect(codec.encode('abc')).rejects.toMatchObject({ name: 'SCHEMA_MISMATCH' })
})

test('the types of a topic follow from its codecs', () => {
  const orders = topic('orders', { key: text(), value: nullable(json<{ id: string }>()) })
  expectTypeOf<Parts<typeof orders>['valueIn']>().toEqualTypeOf<{ id: string } | null>()
  expectTypeOf<Parts<typeof orders>['keyOut']>().toEqualTypeOf<string>()
  expectTypeOf<Parts<typeof orders>['name']>().toEqualTypeOf<'orders'>()
  expectTypeOf<Parts<'plain'>['valueOut']>().toEqualTypeOf<Buffer | null>()
  const plain = topic('plain')
  expectTypeOf<Parts<typeof plain>['valueOut']>().toEqualTypeOf<Buffer | null>()
  expect([orders.value.nullable, plain.value.nullable, bytes().nullable]).toEqual([
    true,
    true,
    undefined,
  ])
})

test('a topic without a name is refused', () => {
  expect(() => topic('' as 'x')).toThrow(/takes the name/)
})

test('a codec of a class of yours keeps its this, nullable or not', () => {
  class Shift {
    readonly name = 'shift'
    readonly by = 3
    encode(value: number) {
      return String(value + this.by)
    }
    decode(view: Buffer) {
      return Number(view.toString()) - this.by
    }
  }
  const codec = nullable(new Shift())
  expect(codec.encode(1)).toBe('4')
  expect(codec.decode(Buffer.from('4'))).toBe(1)
  expect(sliceOf(codec)(Buffer.from('x4x'), 1, 2)).toBe(1)
  expect(sliceOf(new Shift())(Buffer.from('x4x'), 1, 2)).toBe(1)
})

test('the shortcut decodes as the codec does, and goes with a decode that is replaced', () => {
  const body = Buffer.from('..{"a":"ü"}..')
  const [start, end] = [2, body.length - 2]
  const view = body.subarray(start, end)
  for (const codec of [text(), json(), nullable(text()), json(z.object({ a: z.string() }))]) {
    expect(sliceOf(codec as Codec<unknown>)(body, start, end)).toEqual(
      (codec as Codec<unknown>).decode(view),
    )
  }
  const packed = Buffer.from(msgpack().encode([1, 'a']) as Uint8Array)
  expect(sliceOf(msgpack())(packed, 0, packed.length)).toEqual([1, 'a'])
  const bytesOut = sliceOf(bytes())(body, start, end) as Buffer
  expect([Buffer.isBuffer(bytesOut), bytesOut.equals(view)]).toEqual([true, true])
  const shouting = { ...text(), decode: (bytes: Buffer) => bytes.toString().toUpperCase() }
  expect(sliceOf(shouting)(body, start, end)).toBe('{"A":"Ü"}')
})
