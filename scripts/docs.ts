// Writes the derived pages of docs/. `npm run docs`; docs.test.ts fails where a page and its source differ.
import { writeFileSync } from 'node:fs'
import { pages } from './pages/index.ts'

for (const { file, text } of pages()) {
  writeFileSync(new URL(`../${file}`, import.meta.url), text)
  console.log(`wrote ${file}`)
}
