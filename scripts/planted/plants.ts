// The planted bugs: known mistakes, kept as texts to find and to put. Enters: packages/testing/planted. Leaves: values.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ScenarioName, scenarioOf } from '../sim/scenarios.ts'

export type Edit = { readonly file: string; readonly find: string; readonly put: string }

export type Plant = {
  /** Of its file, without `.json`. */
  readonly name: string
  readonly about: string
  /** Who looks for it. */
  readonly scenario: ScenarioName
  /** Which oracles or anomalies should see it. */
  readonly expect: readonly string[]
  /** Kinds of faults and of work without which it does nothing: of each row at least one. Other seeds are passed over. */
  readonly needs: readonly (readonly string[])[]
  readonly edits: readonly Edit[]
}

/** As it stands in its file: without a scenario it is of `one-broker`. */
type Kept = Omit<Plant, 'name' | 'scenario'> & Partial<Pick<Plant, 'scenario'>>

export function loadPlants(root: string): Plant[] {
  const folder = join(root, 'packages/testing/planted')
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
  return names.sort().map((file) => {
    const plant = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Kept
    return { scenario: 'one-broker', ...plant, name: file.slice(0, -'.json'.length) }
  })
}

/** A run of this seed may show it. */
export function mayShow({ needs, scenario }: Plant, seed: number): boolean {
  const has = new Set(scenarioOf(scenario).namesIn(seed, {}))
  return needs.every((kinds) => kinds.some((kind) => has.has(kind)))
}

/** The first of its texts that is not there exactly once: the code has moved on, and it is to be written anew. */
export function staleEdit(root: string, { edits }: Plant): Edit | undefined {
  return edits.find(
    ({ file, find }) => readFileSync(join(root, file), 'utf8').split(find).length !== 2,
  )
}
