import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatReader } from './format-reader.ts'
import { compileFormat } from './record-format.ts'

const bytes = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array))
const maybe = fc.option(bytes, { nil: null })

test.each(['%p %T %K %V %k%v\\n', '%V:%v%K:%k', '%p|%T|%K,%k|%V,%v;'])(
  'what %j prints it reads back, whatever the bytes and the chunks',
  (format) => {
    const record = fc.record({
      key: maybe,
      value: maybe,
      partition: fc.nat(100),
      timestamp: fc.nat(),
    })
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 5 }),
        fc.integer({ min: 1, max: 9 }),
        (all, cut) => {
          const out: Uint8Array[] = []
          const print = compileFormat(format)
          for (const one of all) print({ topic: 't', offset: 0, headers: [], ...one }, out)
          const read = readBack(format, Buffer.concat(out), cut)
          expect(read.map(({ key, value }) => ({ key, value }))).toEqual(
            all.map(({ key, value }) => ({ key, value })),
          )
          if (format.includes('%p'))
            expect(read.map(({ partition }) => partition)).toEqual(all.map((one) => one.partition))
        },
      ),
    )
  },
)

function readBack(format: string, input: Buffer, cut: number) {
  const reader = formatReader(format)
  const found = []
  for (let position = 0; position < input.length; position += cut) {
    reader.push(input.subarray(position, position + cut))
    for (let record = reader.next(); record !== undefined; record = reader.next())
      found.push(record)
  }
  reader.end()
  for (let record = reader.next(); record !== undefined; record = reader.next()) found.push(record)
  return found
}
