import { expect, test } from 'vitest'
import { withoutControls } from './plain-text.ts'

test.each([
  ['red \x1b[31mtext\x1b[0m', 'red text'],
  ['a title \x1b]0;owned\x07 of a window', 'a title  of a window'],
  ['a C1 \x9b31m sequence', 'a C1  sequence'],
  ['bell\x07, backspace\b, return\r, zero\0, delete\x7f', 'bell, backspace, return, zero, delete'],
  ['right to left \u202emark', 'right to left mark'],
  ['tab\tand\nnewline', 'tab\tand\nnewline'],
  ['Grüße, 世界 👋', 'Grüße, 世界 👋'],
])('%j becomes %j', (text, plain) => {
  expect(withoutControls(text)).toBe(plain)
})

test('texts are cleaned wherever they stand, the rest stays', () => {
  const line = { topic: 'a\x1b[2J', list: ['b\r', 1, null, true], deep: { 'k\x07': { x: 'c\0' } } }
  expect(withoutControls(line)).toEqual({
    topic: 'a',
    list: ['b', 1, null, true],
    deep: { k: { x: 'c' } },
  })
})

test('what lies too deep is dropped', () => {
  let value: unknown = 'text'
  for (let depth = 0; depth < 100; depth++) value = { value }
  expect(JSON.stringify(withoutControls(value))).toContain('…')
})
