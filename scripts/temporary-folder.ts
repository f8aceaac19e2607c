// A folder that is gone when its block or the script ends.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { undoAtExit } from './at-exit.ts'

export type TemporaryFolder = Disposable & { readonly path: string }

export function temporaryFolder(parent: string, prefix: string): TemporaryFolder {
  mkdirSync(parent, { recursive: true })
  const path = mkdtempSync(join(parent, prefix))
  // A process that was killed a moment ago may still finish what it was writing.
  const options = { recursive: true, force: true, maxRetries: 3 }
  return { path, [Symbol.dispose]: undoAtExit(() => rmSync(path, options)) }
}
