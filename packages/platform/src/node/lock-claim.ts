// One attempt to get a lock: a socket of our own, and what becomes of it. The idea is in lock.ts.
//
// Why two never own at once: both have made the link, A first. For C to make it A's must have been moved aside, where
// it keeps a name. C looks at every name after its link, and A answers `linked` or more from the very tick of its own
// (hence the synchronous calls). So C gives way.
import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import * as net from 'node:net'
import { hasCode, newDiskError } from './disk-error.ts'
import type { LockPlace } from './lock-place.ts'
import { probeSocket } from './lock-probe.ts'

const LOCK = '.lock'
const OTHER = /^lock\.[0-9a-f]{16}$/

export type Outcome =
  | { readonly type: 'owned' }
  | { readonly type: 'held'; readonly pid: number | undefined }
  | { readonly type: 'again' }

const AGAIN: Outcome = { type: 'again' }

/** What those who connect are told. */
type Standing = { is: 'claiming' | 'linked' | 'owner' }

export class LockClaim {
  readonly #place: LockPlace
  readonly #name: string
  readonly #server: net.Server
  readonly #inode: bigint
  readonly #standing: Standing

  private constructor(
    place: LockPlace,
    socket: { name: string; server: net.Server; inode: bigint; standing: Standing },
  ) {
    this.#place = place
    this.#name = socket.name
    this.#server = socket.server
    this.#inode = socket.inode
    this.#standing = socket.standing
  }

  /** Undefined: another one took the new name for a dead one's and removed it. */
  static async make(place: LockPlace): Promise<LockClaim | undefined> {
    const name = newName()
    const standing: Standing = { is: 'claiming' }
    const server = net.createServer((socket) => answer(socket, standing))
    await listen(server, place.socket(name))
    const inode = inodeOf(place.file(name))
    if (inode !== undefined) return new LockClaim(place, { name, server, inode, standing })
    server.close()
    return undefined
  }

  /** Unless `owned`, the claim is given up. */
  async pursue(): Promise<Outcome> {
    let outcome: Outcome | undefined
    try {
      outcome = this.#link() ? await this.#makeSure() : await this.#lookAtHolder()
    } finally {
      if (outcome?.type !== 'owned') await this.giveUp()
    }
    return outcome
  }

  /**
   * The owner's way out, too. Whoever finds one of our names meanwhile asks again. The socket is closed last: it keeps
   * the number of our inode from being given to another one's, whose names we would remove.
   */
  async giveUp(): Promise<void> {
    this.#standing.is = 'claiming'
    try {
      for (const name of await this.#place.list()) {
        // Those by which others moved it aside, too.
        if (OTHER.test(name) && this.#isOurs(name)) remove(this.#place.file(name))
      }
      if (this.#isOurs(LOCK)) await this.#clearLock()
    } finally {
      this.#server.close()
    }
  }

  /** False: there is a `.lock`. */
  #link(): boolean {
    try {
      fs.linkSync(this.#place.file(this.#name), this.#place.file(LOCK))
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return false
      throw error
    }
    this.#standing.is = 'linked'
    return true
  }

  async #makeSure(): Promise<Outcome> {
    for (const name of await this.#place.list()) {
      if (!OTHER.test(name) || name === this.#name) continue
      const other = await probeSocket(this.#place.socket(name))
      if (other.type === 'owner') return { type: 'held', pid: other.pid }
      if (other.type === 'linked') return AGAIN
      if (other.type === 'stale') remove(this.#place.file(name))
    }
    // Somebody may have moved us aside and not put us back yet.
    if (!this.#isOurs(LOCK)) return AGAIN
    this.#standing.is = 'owner'
    remove(this.#place.file(this.#name))
    return { type: 'owned' }
  }

  async #lookAtHolder(): Promise<Outcome> {
    const stats = fs.lstatSync(this.#place.file(LOCK), { throwIfNoEntry: false })
    if (stats !== undefined && !stats.isSocket()) {
      throw newDiskError('ENOTSOCK', 'this is no lock of ours, lock', this.#place.file(LOCK))
    }
    const holder = await probeSocket(this.#place.socket(LOCK))
    if (holder.type === 'owner') return { type: 'held', pid: holder.pid }
    if (holder.type === 'stale') await this.#clearLock()
    return AGAIN
  }

  /** Moves `.lock` aside and removes it there, if it is our own or stale; else puts it back. */
  async #clearLock(): Promise<void> {
    const aside = newName()
    try {
      fs.renameSync(this.#place.file(LOCK), this.#place.file(aside))
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return
      throw error
    }
    const mayGo =
      this.#isOurs(aside) || (await probeSocket(this.#place.socket(aside))).type === 'stale'
    if (mayGo || this.#putBack(aside)) remove(this.#place.file(aside))
  }

  /** False: `.lock` is another one's by now. Then the name aside is the only one by which a living owner is found. */
  #putBack(aside: string): boolean {
    try {
      fs.linkSync(this.#place.file(aside), this.#place.file(LOCK))
      return true
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return true
      if (!hasCode(error, 'EEXIST')) throw error
      return inodeOf(this.#place.file(LOCK)) === inodeOf(this.#place.file(aside))
    }
  }

  #isOurs(name: string): boolean {
    return inodeOf(this.#place.file(name)) === this.#inode
  }
}

function newName(): string {
  return `lock.${randomBytes(8).toString('hex')}`
}

function answer(socket: net.Socket, standing: Standing): void {
  // Who asks and goes, or stays for ever, is no concern of the owner.
  socket.on('error', () => {})
  socket.unref()
  socket.end(standing.is === 'owner' ? `${process.pid}\n` : `${standing.is}\n`, () =>
    socket.destroy(),
  )
}

function listen(server: net.Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path, exclusive: true }, () => {
      server.off('error', reject)
      // A connection that was not accepted asks again.
      server.on('error', () => {})
      server.unref()
      resolve()
    })
  })
}

function inodeOf(file: string): bigint | undefined {
  return fs.lstatSync(file, { bigint: true, throwIfNoEntry: false })?.ino
}

function remove(file: string): void {
  try {
    fs.unlinkSync(file)
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
  }
}
