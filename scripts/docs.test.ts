import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { pages } from './pages/index.ts'

test.each(pages())(
  '$file is what its definitions say: `npm run docs` writes it',
  ({ file, text }) => {
    expect(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')).toBe(text)
  },
)
