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

export class Tree {
  readonly root: DirectoryImage

  constructor(nowMs: number) {
    this.root = new DirectoryImage(nowMs)
  }

  find(path: string): Inode | undefined {
    let inode: Inode | undefined = this.root
    for (const name of namesOf(path)) {
      if (inode?.kind !== 'directory') return undefined
      inode = inode.get(name)
    }
    return inode
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
    const names = namesOf(path)
    const name = names.pop()
    if (name === undefined) throw diskError('EISDIR', call, path)
    return { directory: this.directory(call, names.join('/'), path), name }
  }

  directory(call: string, path: string, shownPath = path): DirectoryImage {
    const inode = this.find(path)
    if (inode === undefined) throw diskError('ENOENT', call, shownPath)
    if (inode.kind !== 'directory') throw diskError('ENOTDIR', call, shownPath)
    return inode
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

function filesBelow(path: string, inode: Inode | undefined): [string, FileImage][] {
  if (inode?.kind === 'file') return [[path, inode]]
  if (inode?.kind !== 'directory') return []
  return inode.list().flatMap((name) => filesBelow(`${path}/${name}`, inode.get(name)))
}
