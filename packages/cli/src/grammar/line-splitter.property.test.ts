import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LineSplitter } from './line-splitter.ts'

test('however the bytes are cut into chunks, the lines are those between the delimiters', () => {
  const delimiter = fc.constantFrom('\n', '|', '--', 'aba')
  const piece = fc.constantFrom('', 'a', 'b', '\n', '-', '--', 'aba', 'ab', '|', 'é')
  fc.assert(
    fc.property(
      delimiter,
      fc.array(piece, { maxLength: 30 }),
      fc.array(fc.nat(4)),
      (end, pieces, cuts) => {
        const text = pieces.join('')
        const expected = text.split(end)
        // What follows the last delimiter is a line only if there is something.
        if (expected.at(-1) === '') expected.pop()
        expect(linesOf(Buffer.from(text), end, cuts)).toEqual(expected)
      },
    ),
  )
})

function linesOf(bytes: Buffer, delimiter: string, cuts: readonly number[]): string[] {
  const splitter = new LineSplitter(Buffer.from(delimiter))
  const lines: string[] = []
  const drain = () => {
    for (let line = splitter.next(); line !== undefined; line = splitter.next())
      lines.push(line.toString())
  }
  let position = 0
  for (const size of cuts) {
    splitter.push(bytes.subarray(position, position + size))
    position += size
    drain()
  }
  splitter.push(bytes.subarray(position))
  drain()
  splitter.end()
  drain()
  expect(splitter.number).toBe(lines.length)
  return lines
}
