import { expect, test } from 'vitest'
import { printableName } from './client-name.ts'

test('a plain name stays as it is', () => {
  expect(printableName('orders-service/2 ä 🦊')).toBe('orders-service/2 ä 🦊')
})

test('newlines, escape sequences and line separators are escaped', () => {
  expect(printableName('a\nb\u001b[31mc\u2028d\u009b')).toBe('a\\u000ab\\u001b[31mc\\u2028d\\u009b')
})

test('a megabyte is cut to 255 characters', () => {
  expect(printableName('x'.repeat(2 ** 20))).toHaveLength(255)
  expect(printableName('\n'.repeat(2 ** 20))).toHaveLength(255)
})

test('a character is not cut in half', () => {
  expect(printableName(`${'x'.repeat(254)}🦊`)).toBe('x'.repeat(254))
})
