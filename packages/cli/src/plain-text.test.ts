import { expect, test } from 'vitest'
import { cut, plain, wrap } from './plain-text.ts'

test('what would steer a terminal or break a line is shown instead', () => {
  expect(plain('ev\u001b[31mil\nx\u009b')).toBe('ev\\x1b[31mil\\x0ax\\x9b')
  expect(plain('Grüße, 世界')).toBe('Grüße, 世界')
})

test('lines are broken at spaces, a word that is too long anywhere', () => {
  expect(wrap('one two three', 7)).toEqual(['one two', 'three'])
  expect(wrap('a bcdefghij k', 4)).toEqual(['a', 'bcde', 'fghi', 'j k'])
  expect(wrap('', 4)).toEqual([''])
})

test('of a name that is too long both ends stay', () => {
  expect(cut('orders', 6)).toBe('orders')
  expect(cut('orders.of.europe', 8)).toBe('orde…ope')
  expect(cut('orders.of.europe', 9)).toBe('orde…rope')
})
