import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { perform } from '../test/story.ts'

// Every testdata/*.txt: commands in, everything that followed out. `vitest -u` writes them anew: read the diff.
const folder = new URL('../testdata/', import.meta.url)
for (const name of readdirSync(folder)) {
  test(name.replace('.txt', '').replaceAll('-', ' '), async () => {
    const story = new URL(name, folder)
    await expect(perform(readFileSync(story, 'utf8'))).toMatchFileSnapshot(story.pathname)
  })
}
