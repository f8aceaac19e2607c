// The kept corpus: files of inputs, a folder a target. `frame-…`: written by make-corpus.ts; `found-…`: what once
// failed, for ever after replayed by every test run.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, 'corpus')

export type Kept = { readonly file: string; readonly input: Buffer }

export function keptInputs(target: string): readonly Kept[] {
  const folder = join(ROOT, target)
  if (!existsSync(folder)) return []
  const names = readdirSync(folder).sort()
  return names.map((name) => ({ file: name, input: readFileSync(join(folder, name)) }))
}

/** Returns the path of the file. */
export function keepInput(target: string, name: string, input: Uint8Array): string {
  const folder = join(ROOT, target)
  mkdirSync(folder, { recursive: true })
  const path = join(folder, name)
  writeFileSync(path, input)
  return path
}

export function keepFound(target: string, input: Uint8Array): string {
  const hash = createHash('sha256').update(input).digest('hex').slice(0, 12)
  return keepInput(target, `found-${hash}.bin`, input)
}
