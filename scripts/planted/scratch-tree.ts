// A copy of this tree in which bugs are planted: sources copied, what is installed linked. Enters: the root. Leaves: a
// folder whose scripts run as these do, and that is gone in the end.
import {
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { temporaryFolder } from '../temporary-folder.ts'
import type { Plant } from './plants.ts'

const LEFT_OUT = ['.git', 'dist', 'node_modules', 'data']

export class ScratchTree implements Disposable {
  readonly path: string
  readonly #root: string
  readonly #folder: Disposable & { readonly path: string }

  constructor(root: string) {
    this.#root = root
    this.#folder = temporaryFolder(join(tmpdir(), 'minikafka-planted'), 'tree-')
    this.path = this.#folder.path
    const isKept = (source: string) => !LEFT_OUT.includes(basename(source))
    for (const name of ['packages', 'scripts'])
      cpSync(join(root, name), join(this.path, name), { recursive: true, filter: isKept })
    for (const name of ['package.json', 'tsconfig.json', 'tsconfig.base.json'])
      cpSync(join(root, name), join(this.path, name))
    linkInstalled(root, this.path)
    for (const name of readdirSync(join(root, 'packages')))
      linkInstalled(join(root, 'packages', name), join(this.path, 'packages', name))
  }

  plant({ edits }: Plant): void {
    for (const { file, find, put } of edits) {
      const path = join(this.path, file)
      writeFileSync(
        path,
        readFileSync(path, 'utf8').replace(find, () => put),
      )
    }
  }

  /** As it was before. */
  uproot({ edits }: Plant): void {
    for (const { file } of edits) cpSync(join(this.#root, file), join(this.path, file))
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]()
  }
}

/** Links of our own packages are relative, and lead into the copy; all else leads to what is installed here. */
function linkInstalled(from: string, to: string): void {
  const source = join(from, 'node_modules')
  const target = join(to, 'node_modules')
  mkdirSync(target, { recursive: true })
  for (const name of namesIn(source)) {
    if (name === '@minikafka') {
      mkdirSync(join(target, name), { recursive: true })
      for (const own of namesIn(join(source, name)))
        copyLink(join(source, name, own), join(target, name, own))
    } else if (name.startsWith('minikafka')) copyLink(join(source, name), join(target, name))
    else symlinkSync(join(source, name), join(target, name))
  }
}

function copyLink(from: string, to: string): void {
  if (lstatSync(from).isSymbolicLink()) symlinkSync(readlinkSync(from), to)
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
