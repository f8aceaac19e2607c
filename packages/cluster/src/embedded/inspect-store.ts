// Are the files of the store in order? Enters: a directory that no broker has open. Leaves: a sentence per problem; changes
// nothing.
import type { Env } from '@minikafka/platform'
import { decodeFloor } from './floor.ts'
import { loadStore, type StoreFiles } from './load.ts'
import { StoreDamaged } from './store-damaged.ts'

export function storeFiles(directory: string): StoreFiles {
  return {
    logPath: `${directory}/metadata.log`,
    snapshotPath: `${directory}/metadata.snapshot`,
    floorPath: `${directory}/metadata.synced`,
  }
}

/** Errors: DiskError. */
export async function inspectEmbeddedStore(env: Env, directory: string): Promise<string[]> {
  const files = storeFiles(directory)
  const problems: string[] = []
  const floor = await env.disk.readFile(files.floorPath)
  if (floor !== undefined && decodeFloor(floor) === undefined) {
    problems.push(`${files.floorPath}: its checksum does not fit; it is written again`)
  }
  try {
    const { position, tornBytes } = await loadStore(env, files, 0)
    if (tornBytes > 0) {
      const cut = `a torn tail, the next start cuts ${tornBytes} bytes`
      problems.push(`${files.logPath}: position ${position}: ${cut}`)
    }
  } catch (error) {
    if (!(error instanceof StoreDamaged)) throw error
    problems.push(error.message)
  }
  return problems
}
