// One directory: the names that are seen, the names that are durable, and the changes in between.
import type { Generator } from '../generator.ts'
import type { FileImage } from './file-image.ts'
import { drawFates } from './tear.ts'

export type Inode = FileImage | DirectoryImage | SocketInode

/** What a lock leaves in its directory. */
export type SocketInode = { readonly kind: 'other'; modifiedMs: number; readonly size: 0 }

type Change =
  | { readonly type: 'link'; readonly name: string; readonly inode: Inode }
  | { readonly type: 'unlink'; readonly name: string }
  | { readonly type: 'rename'; readonly from: string; readonly to: string; readonly inode: Inode }

export class DirectoryImage {
  readonly kind = 'directory'
  readonly size = 4096
  modifiedMs: number
  #names = new Map<string, Inode>()
  #durable = new Map<string, Inode>()
  #unsynced: Change[] = []
  /** Changes ever taken from the front of `#unsynced`. */
  #coveredCount = 0

  constructor(createdMs: number) {
    this.modifiedMs = createdMs
  }

  get(name: string): Inode | undefined {
    return this.#names.get(name)
  }

  getDurable(name: string): Inode | undefined {
    return this.#durable.get(name)
  }

  list(): string[] {
    return [...this.#names.keys()].sort()
  }

  link(name: string, inode: Inode): void {
    this.#change({ type: 'link', name, inode })
  }

  unlink(name: string): void {
    this.#change({ type: 'unlink', name })
  }

  /** Within this directory: after a power cut it happened or it did not, nothing between. */
  rename(from: string, to: string, inode: Inode): void {
    this.#change({ type: 'rename', from, to, inode })
  }

  /** What a sync issued now covers. */
  mark(): number {
    return this.#coveredCount + this.#unsynced.length
  }

  syncTo(mark: number): void {
    for (const change of this.#cover(mark)) applyTo(this.#durable, change)
  }

  /** The sync failed: as with the pages of a file, no later one makes up for it. */
  forgetTo(mark: number): void {
    this.#cover(mark)
  }

  /** Without a sync, each change survives or not, one by one. */
  powerCut(dice: Generator): void {
    const changes = this.#cover(this.mark())
    const fates = drawFates(changes.length, dice)
    for (const [index, change] of changes.entries()) {
      if (fates[index] === 'kept') applyTo(this.#durable, change)
    }
    this.#names = new Map(this.#durable)
    for (const inode of this.#names.values()) {
      if (inode.kind !== 'other') inode.powerCut(dice)
    }
  }

  /** Another disk is in its place. */
  clear(): void {
    this.#cover(this.mark())
    this.#names.clear()
    this.#durable.clear()
  }

  #cover(mark: number): Change[] {
    const covered = this.#unsynced.splice(0, Math.max(0, mark - this.#coveredCount))
    this.#coveredCount += covered.length
    return covered
  }

  #change(change: Change): void {
    applyTo(this.#names, change)
    this.#unsynced.push(change)
  }
}

function applyTo(names: Map<string, Inode>, change: Change): void {
  switch (change.type) {
    case 'link':
      names.set(change.name, change.inode)
      break
    case 'unlink':
      names.delete(change.name)
      break
    case 'rename':
      names.delete(change.from)
      names.set(change.to, change.inode)
  }
}
