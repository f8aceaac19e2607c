import { expect, test } from 'vitest'
import { bytesText } from './table.ts'

test.each([
  [-1, '-'],
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1_572_864, '1.5 MiB'],
  [5e15, '4547.5 TiB'],
])('%i bytes are %s', (bytes, text) => expect(bytesText(bytes)).toBe(text))
