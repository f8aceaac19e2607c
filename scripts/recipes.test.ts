// Every program of docs/recipes.md is run against a real broker and prints what the page says.
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { TestBroker } from '@minikafka/testing'
import { expect, test } from 'vitest'
import { temporaryFolder } from './temporary-folder.ts'

const root = join(import.meta.dirname, '..')
const run = promisify(execFile)

type Recipe = {
  readonly title: string
  readonly program: string
  readonly prints: string | undefined
}

test.each(recipes())('$title', async ({ program, prints }) => {
  await using broker = await TestBroker.start({ transport: 'tcp', clock: 'real' })
  // Below the root, where the packages are found.
  using folder = temporaryFolder(join(root, 'node_modules', '.cache'), 'recipe-')
  const file = join(folder.path, 'recipe.mts')
  writeFileSync(file, program)
  const args = ['--import', 'tsx', '--conditions=@minikafka/source', file]
  const env = { ...process.env, BROKERS: broker.address, NODE_TEST_CONTEXT: undefined }
  const { stdout } = await run(process.execPath, args, { cwd: root, env })
  if (prints !== undefined) expect(stdout).toBe(prints)
})

function recipes(): Recipe[] {
  const page = readFileSync(join(root, 'docs/recipes.md'), 'utf8')
  return page
    .split(/^## /m)
    .slice(1)
    .map((section) => ({
      title: section.slice(0, section.indexOf('\n')),
      program: block(section, 'ts') ?? '',
      prints: block(section, 'text'),
    }))
}

function block(section: string, language: string): string | undefined {
  return new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(section)?.[1]
}
