import { expect, test } from 'vitest'
import { contentOf } from './content.ts'

test('a text and its UTF-8 say the same', () => {
  for (const text of ['', 'paid', 'bezahlt: 3 €', '😀', '\ud800 alone', 'x'.repeat(500)]) {
    expect(contentOf(text, text)).toBe(contentOf(Buffer.from(text), Buffer.from(text)))
  }
})

test('people can read it', () => {
  expect(contentOf(null, 'paid')).toBe('paid')
  expect(contentOf('c-42', 'paid')).toBe('c-42: paid')
  expect(contentOf('c-42', null)).toBe('c-42: ∅')
  expect(contentOf(null, Buffer.from([0xff, 0xfe]))).toBe('//4=')
})

test('long ones are cut and still differ where their ends do', () => {
  const [one, other] = [`${'x'.repeat(500)}1`, `${'x'.repeat(500)}2`].map((value) =>
    contentOf('key', value),
  )
  expect(one).not.toBe(other)
  expect(one?.length).toBeLessThan(70)
})
