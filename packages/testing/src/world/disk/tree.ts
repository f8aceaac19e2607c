// The names of one simulated disk. Enters: paths. Leaves: inodes, or the errors Node would give.
import { DiskError } from '@minikafka/platform'
import { DirectoryImage, type Inode } from './directory-image.ts'
import type { FileImage } from './file-image.ts'

const MESSAGES: Readonly<Record<string, string>> = {
  EDQUOT: 'disk quota exceeded',
  EEXIST: 'file already exists',
  EBADF: 'bad file descriptor',
  EIO: 'i/o error',
  EISDIR: 'illegal operation on a directory',
  EMFILE: 'too many open files',
  ENOENT: 'no such file or directory',
  ENOSPC: 'no space left on device',
  ENOTDIR: 'not a directory',
  ENOTEMPTY: 'directory not empty',
}

export function diskError(
  code: string,
  call: string,
  path: string,
  options?: ErrorOptions,
): DiskError {
  const message = `${code}: ${MESSAGES[code] ?? 'failed'}, ${call} '${path}'`
  return new DiskError(code, message, path, options)
}

const NAMES_MAX = 4096

export class Tree {
  readonly root: DirectoryImage
  /** Of paths that were asked for: most are asked for again and again. */
  readonly #names = new Map<string, readonly string[]>()

  constructor(nowMs: number) {
    this.root = new DirectoryImage(nowMs)
  }

  find(path: string): Inode | undefined {
    return this.#walk(this.#namesOf(path))
  }

  /** By the names that were synced. */
  findDurable(path: string): Inode | undefined {
    let inode: Inode | undefined = this.root
    for (const name of namesOf(path)) {
      if (inode?.kind !== 'directory') return undefined
      inode = inode.getDurable(name)
    }
    return inode
  }

  /** Where the last name of `path` stands or would stand. */
  place(call: string, path: string): { directory: DirectoryImage; name: string } {
    const names = this.#namesOf(path)
    const name = names.at(-1)
    if (name === undefined) throw diskError('EISDIR', call, path)
    return { directory: asDirectory(this.#walk(names.slice(0, -1)), call, path), name }
  }

  directory(call: string, path: string): DirectoryImage {
    return asDirectory(this.find(path), call, path)
  }

  file(call: string, path: string): FileImage | undefined {
    const inode = this.find(path)
    if (inode?.kind === 'directory') throw diskError('EISDIR', call, path)
    return inode?.kind === 'file' ? inode : undefined
  }

  makeDirectories(path: string, nowMs: number): void {
    let directory = this.root
    const names = namesOf(path)
    for (const [index, name] of names.entries()) {
      let inode = directory.get(name)
      if (inode === undefined) {
        inode = new DirectoryImage(nowMs)
        directory.link(name, inode)
      }
      if (inode.kind !== 'directory') {
        throw diskError(index === names.length - 1 ? 'EEXIST' : 'ENOTDIR', 'mkdir', path)
      }
      directory = inode
    }
  }

  #walk(names: readonly string[]): Inode | undefined {
    let inode: Inode | undefined = this.root
    for (const name of names) {
      if (inode?.kind !== 'directory') return undefined
      inode = inode.get(name)
    }
    return inode
  }

  #namesOf(path: string): readonly string[] {
    let names = this.#names.get(path)
    if (names === undefined) {
      if (this.#names.size === NAMES_MAX) this.#names.clear()
      names = namesOf(path)
      this.#names.set(path, names)
    }
    return names
  }

  /** By path. */
  files(below: string): [path: string, image: FileImage][] {
    const names = namesOf(below)
    return filesBelow(names.map((name) => `/${name}`).join(''), this.find(below))
  }

  /** Bytes that its files take. */
  usedBytes(): number {
    return this.files('/').reduce((bytes, [, { size }]) => bytes + size, 0)
  }
}

export function namesOf(path: string): string[] {
  const names: string[] = []
  for (const name of path.split('/')) {
    if (name === '..') names.pop()
    else if (name !== '' && name !== '.') names.push(name)
  }
  return names
}

function asDirectory(inode: Inode | undefined, call: string, path: string): DirectoryImage {
  if (inode === undefined) throw diskError('ENOENT', call, path)
  if (inode.kind !== 'directory') throw diskError('ENOTDIR', call, path)
  return inode
}

function filesBelow(path: string, inode: Inode | undefined): [string, FileImage][] {
  if (inode?.kind === 'file') return [[path, inode]]
  if (inode?.kind !== 'directory') return []
  return inode.list().flatMap((name) => filesBelow(`${path}/${name}`, inode.get(name)))
}
