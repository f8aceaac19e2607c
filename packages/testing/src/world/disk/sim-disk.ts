// The disk as one process sees it. Every call is an event of its own: late, in an order of the seed's choice.
import { assert, type Disk, type File, type FileStat, type Lock } from '@minikafka/platform'
import type { Ground } from '../ground.ts'
import type { Process } from '../process.ts'
import type { DirectoryImage, SocketInode } from './directory-image.ts'
import type { DiskState } from './disk-state.ts'
import { FileImage } from './file-image.ts'
import { SimFile, settle, throwIfUnreadable } from './sim-file.ts'
import { diskError, namesOf } from './tree.ts'

export class SimDisk implements Disk {
  readonly #ground: Ground
  readonly #owner: Process
  readonly #state: DiskState

  constructor(ground: Ground, owner: Process, state: DiskState) {
    this.#ground = ground
    this.#owner = owner
    this.#state = state
  }

  open(path: string, mode: 'create' | 'write' | 'read'): Promise<File> {
    return this.#do('disk open', path, () => this.#open(path, mode))
  }

  readFile(path: string): Promise<Buffer | undefined> {
    return this.#do('disk readFile', path, () => {
      this.#takeDescriptor(path)
      const image = this.#tree.file('open', path)
      if (image !== undefined) throwIfUnreadable(this.#state, image, path, 0, image.size)
      return image?.copy()
    })
  }

  /** A crash between two steps leaves the old content or the new one, and perhaps the temporary file. */
  async replaceFile(path: string, content: Uint8Array | readonly Uint8Array[]): Promise<void> {
    const temporary = `${path}.tmp`
    await this.#do('disk removeFile', temporary, () => this.#unlink(temporary))
    const file = await this.open(temporary, 'create')
    try {
      const slices = content instanceof Uint8Array ? [content] : content
      await file.append([Buffer.concat(slices)], 0)
      await file.sync()
    } catch (error) {
      await file.close()
      await this.removeFile(temporary)
      throw error
    }
    await file.close()
    await this.rename(temporary, path)
    try {
      await this.syncDirectory(`${path}/..`)
    } catch (error) {
      // The new file is in place: no other code may say that the old one still is.
      throw diskError('EIO', 'fsync of the directory after the rename', path, { cause: error })
    }
  }

  rename(from: string, to: string): Promise<void> {
    return this.#do('disk rename', from, () => this.#rename(from, to))
  }

  removeFile(path: string): Promise<void> {
    return this.#do('disk removeFile', path, () => this.#unlink(path))
  }

  /** Name by name, as `rm -r` does: a crash in the middle leaves some. */
  async removeDirectory(path: string): Promise<void> {
    const names = await this.#do('disk list', path, () => {
      const inode = this.#tree.find(path)
      if (inode !== undefined && inode.kind !== 'directory') throw diskError('ENOTDIR', 'rm', path)
      return inode?.list()
    })
    if (names === undefined) return
    for (const name of names) {
      const below = `${path}/${name}`
      if (this.#tree.find(below)?.kind === 'directory') await this.removeDirectory(below)
      else await this.removeFile(below)
    }
    await this.#do('disk rmdir', path, () => {
      const { directory, name } = this.#tree.place('rmdir', path)
      const inode = directory.get(name)
      if (inode?.kind !== 'directory') return
      if (inode.list().length > 0) throw diskError('ENOTEMPTY', 'rmdir', path)
      directory.unlink(name)
    })
  }

  makeDirectory(path: string): Promise<void> {
    return this.#do('disk mkdir', path, () => {
      if (this.#tree.find(path) === undefined) this.#state.throwIfNoRoomForDirectory(path)
      this.#tree.makeDirectories(path, this.#nowMs())
    })
  }

  list(path: string): Promise<string[]> {
    return this.#do('disk list', path, () => {
      this.#takeDescriptor(path)
      return this.#tree.directory('scandir', path).list()
    })
  }

  stat(path: string): Promise<FileStat | undefined> {
    return this.#do('disk stat', path, () => {
      const inode = this.#tree.find(path)
      if (inode === undefined) return undefined
      return { kind: inode.kind, size: inode.size, modifiedMs: inode.modifiedMs }
    })
  }

  async syncDirectory(path: string): Promise<void> {
    let directory: DirectoryImage | undefined
    let mark = 0
    if (this.#owner.alive) {
      const inode = this.#tree.find(path)
      if (inode?.kind === 'directory') directory = inode
      mark = directory?.mark() ?? 0
    }
    await this.#do('disk syncDirectory', path, () => {
      if (directory === undefined) throw diskError('ENOENT', 'open', path)
      this.#takeDescriptor(path)
      if (this.#state.failingDirectorySyncs.strikes(path)) {
        directory.forgetTo(mark)
        this.#state.namesLost = true
        throw diskError('EIO', 'fsync', path)
      }
      directory.syncTo(mark)
    })
  }

  freeBytes(path: string): Promise<number> {
    return this.#do('disk freeBytes', path, () => {
      this.#mustExist('statfs', path)
      return this.#state.freeBytes
    })
  }

  totalBytes(path: string): Promise<number> {
    return this.#do('disk totalBytes', path, () => {
      this.#mustExist('statfs', path)
      return this.#state.capacityBytes
    })
  }

  lock(directory: string): Promise<{ lock: Lock } | { heldBy: number | undefined }> {
    return this.#do('disk lock', directory, () => {
      this.#takeDescriptor(directory)
      const image = this.#tree.directory('bind', directory)
      const key = namesOf(directory).join('/')
      const holder = this.#state.locks.get(key)
      if (holder?.alive) return { heldBy: holder.facts.pid }
      this.#state.locks.set(key, this.#owner)
      const socket: SocketInode = { kind: 'other', size: 0, modifiedMs: this.#nowMs() }
      image.link('.lock', socket)
      return { lock: this.#lockOn(directory, key, image) }
    })
  }

  get #tree() {
    return this.#state.tree
  }

  #lockOn(path: string, key: string, directory: DirectoryImage): Lock {
    const resource = { about: `lock of ${path}`, died: () => this.#state.locks.delete(key) }
    this.#owner.holds(resource)
    const release = () => {
      if (this.#state.locks.get(key) !== this.#owner) return
      this.#state.locks.delete(key)
      this.#owner.releases(resource)
      directory.unlink('.lock')
    }
    return { release: () => this.#do('disk unlock', path, release) }
  }

  #open(path: string, mode: 'create' | 'write' | 'read'): File {
    this.#takeDescriptor(path)
    const { directory, name } = this.#tree.place('open', path)
    const found = directory.get(name)
    if (mode === 'create' && found !== undefined) throw diskError('EEXIST', 'open', path)
    const image = mode === 'create' ? this.#create(directory, name) : found
    if (image === undefined) throw diskError('ENOENT', 'open', path)
    if (image.kind === 'directory') throw diskError('EISDIR', 'open', path)
    if (image.kind === 'other') throw diskError('ENXIO', 'open', path)
    const file = { image, path, writable: mode !== 'read' }
    return new SimFile(this.#ground, this.#owner, this.#state, file)
  }

  #create(directory: DirectoryImage, name: string): FileImage {
    const image = new FileImage(this.#nowMs())
    directory.link(name, image)
    return image
  }

  #rename(from: string, to: string): void {
    const source = this.#tree.place('rename', from)
    const target = this.#tree.place('rename', to)
    const inode = source.directory.get(source.name)
    if (inode === undefined) throw diskError('ENOENT', 'rename', from)
    const replaced = target.directory.get(target.name)
    if (replaced === inode) return
    if (replaced?.kind === 'directory') {
      if (inode.kind !== 'directory') throw diskError('EISDIR', 'rename', to)
      if (replaced.list().length > 0) throw diskError('ENOTEMPTY', 'rename', to)
    }
    if (replaced?.kind === 'file') {
      if (inode.kind === 'directory') throw diskError('ENOTDIR', 'rename', to)
      this.#state.take(-replaced.size)
    }
    if (source.directory === target.directory) {
      source.directory.rename(source.name, target.name, inode)
    } else {
      target.directory.link(target.name, inode)
      source.directory.unlink(source.name)
    }
  }

  #unlink(path: string): void {
    const parent = this.#tree.find(`${path}/..`)
    if (parent === undefined) return
    const { directory, name } = this.#tree.place('unlink', path)
    const inode = directory.get(name)
    if (inode === undefined) return
    if (inode.kind === 'directory') throw diskError('EISDIR', 'unlink', path)
    directory.unlink(name)
    this.#state.take(-inode.size)
  }

  #takeDescriptor(path: string): void {
    if (this.#owner.lacksDescriptors(1)) throw diskError('EMFILE', 'open', path)
  }

  #mustExist(call: string, path: string): void {
    if (this.#tree.find(path) === undefined) throw diskError('ENOENT', call, path)
  }

  #nowMs(): number {
    return this.#state.clock.wallMs()
  }

  #do<T>(label: string, path: string, work: () => T): Promise<T> {
    assert(!path.includes('\0'), 'a path has no zero byte')
    return new Promise((resolve, reject) => {
      this.#ground.scheduler.schedule(this.#owner, 'io', label, this.#state.drawDelayMs(), () => {
        this.#ground.hash.word(path)
        settle(work, resolve, reject)
      })
    })
  }
}
