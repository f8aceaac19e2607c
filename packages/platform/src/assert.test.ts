import { expect, test } from 'vitest'
import { AssertionError, assert, assertNever } from './assert.ts'

test('an assertion that holds says nothing', () => {
  expect(() => assert(true, 'one is one')).not.toThrow()
})

test('one that does not throws its sentence', () => {
  expect(() => assert(false, 'one is two')).toThrow(new AssertionError('one is two'))
  expect(new AssertionError('x').name).toBe('AssertionError')
})

test('a branch that is never reached names what reached it', () => {
  expect(() => assertNever({ type: 'new' } as never)).toThrow('unexpected {"type":"new"}')
})
