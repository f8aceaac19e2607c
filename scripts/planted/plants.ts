// The planted bugs: known mistakes, kept as texts to find and to put. Enters: packages/testing/planted. Leaves: values.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plan } from '../../packages/testing/scenarios/one-broker/index.ts'

export type Edit = { readonly file: string; readonly find: string; readonly put: string }

export type Plant = {
  /** Of its file, without `.json`. */
  readonly name: string
  readonly about: string
  /** Which oracles or anomalies should see it. */
  readonly expect: readonly string[]
  /** Kinds of faults and of work without which it does nothing: of each row at least one. Other seeds are passed over. */
  readonly needs: readonly (readonly string[])[]
  readonly edits: readonly Edit[]
}

export function loadPlants(root: string): Plant[] {
  const folder = join(root, 'packages/testing/planted')
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
  return names.sort().map((file) => {
    const plant = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Omit<Plant, 'name'>
    return { ...plant, name: file.slice(0, -'.json'.length) }
  })
}

/** A run of this plan may show it. */
export function mayShow({ needs }: Plant, { faults, admin, lieMs, topics }: Plan): boolean {
  const has = new Set<string>([...faults, ...admin].map(({ kind }) => kind))
  if (lieMs !== undefined) has.add('lies')
  if (topics.some(({ config }) => 'cleanup.policy' in config)) has.add('compaction')
  return needs.every((kinds) => kinds.some((kind) => has.has(kind)))
}

/** The first of its texts that is not there exactly once: the code has moved on, and it is to be written anew. */
export function staleEdit(root: string, { edits }: Plant): Edit | undefined {
  return edits.find(
    ({ file, find }) => readFileSync(join(root, file), 'utf8').split(find).length !== 2,
  )
}
