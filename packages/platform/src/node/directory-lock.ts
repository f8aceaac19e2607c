// The exclusive lock of a directory: a listening Unix socket, linked in place as `.lock`. Node has no flock; the kernel
// frees a socket when its holder dies, so a lock is never left behind by a crash. Source: REPLICATION 2.1.
import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import * as net from 'node:net'
import * as path from 'node:path'
import type { Lock } from '../env.ts'

const NAME = '.lock'
const ANSWER_WITHIN_MS = 1_000
/** A stale lock is taken over by renaming; whoever loses that race tries again. */
const TRIES_MAX = 20

type Owner = { readonly alive: true; readonly pid: number | undefined } | { readonly alive: false }

export async function lockDirectory(
  directory: string,
): Promise<{ lock: Lock } | { heldBy: number | undefined }> {
  const handle = fs.openSync(directory, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
  const place = placeOf(directory, handle)
  const nonce = randomBytes(8).toString('hex')
  const own = `lock.${nonce}`
  let server: net.Server | undefined
  try {
    server = await listen(place(own))
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      if (linkInPlace(place(own), place(NAME))) {
        fs.unlinkSync(place(own))
        return { lock: lockOf(server, place(NAME), handle) }
      }
      const asked = identityOf(place(NAME))
      const owner = await ask(place(NAME))
      if (owner.alive) {
        await giveUp(server, place(own), handle)
        return { heldBy: owner.pid }
      }
      removeStale(place, `stale.${nonce}`, asked)
    }
    throw Object.assign(new Error('the lock changes hands too fast'), { code: 'EBUSY' })
  } catch (error) {
    if (server !== undefined) await giveUp(server, place(own), handle)
    else fs.closeSync(handle)
    throw error
  }
}

/**
 * A path short enough for a socket: one over 107 bytes is cut silently. On Linux through the open directory,
 * elsewhere relative to the working directory.
 */
function placeOf(directory: string, handle: number): (name: string) => string {
  if (process.platform === 'linux') return (name) => `/proc/self/fd/${handle}/${name}`
  const relative = path.relative(process.cwd(), directory) || '.'
  return (name) => path.join(relative, name)
}

/** Whoever connects is told who owns the lock. */
function listen(socketPath: string): Promise<net.Server> {
  return new Promise((resolve, reject) => {
    const server = net.createServer((socket) => {
      socket.on('error', () => socket.destroy())
      socket.end(`${process.pid}\n`)
    })
    server.unref()
    server.once('error', reject)
    server.listen(socketPath, () => resolve(server))
  })
}

/** False: somebody's lock stands there. The link is atomic: of two only one succeeds. */
function linkInPlace(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Accepted means owned, even if the owner says nothing (it may be stopped); refused means stale. */
function ask(socketPath: string): Promise<Owner> {
  return new Promise((resolve) => {
    let text = ''
    let connected = false
    const socket = net.connect(socketPath)
    const finish = (owner: Owner) => {
      clearTimeout(timeout)
      socket.destroy()
      resolve(owner)
    }
    const ownerSaid = (): Owner => ({
      alive: true,
      pid: /^\d+$/.test(text.trim()) ? Number(text) : undefined,
    })
    const timeout = setTimeout(() => finish(ownerSaid()), ANSWER_WITHIN_MS)
    socket.on('connect', () => {
      connected = true
    })
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
    })
    socket.on('end', () => finish(ownerSaid()))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const stale = !connected && (error.code === 'ECONNREFUSED' || error.code === 'ENOENT')
      finish(stale ? { alive: false } : ownerSaid())
    })
  })
}

/**
 * Takes a dead lock away without ever unlinking a living one: only the very file that was asked is renamed. Should
 * another one have come between the two system calls, it goes back at once.
 */
function removeStale(
  place: (name: string) => string,
  aside: string,
  asked: string | undefined,
): void {
  if (asked === undefined || identityOf(place(NAME)) !== asked) return
  try {
    fs.renameSync(place(NAME), place(aside))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  if (identityOf(place(aside)) !== asked) linkInPlace(place(aside), place(NAME))
  fs.rmSync(place(aside), { force: true })
}

/** Which file stands there: inode numbers are used again, so the moment of its making belongs to it. */
function identityOf(file: string): string | undefined {
  const stat = fs.lstatSync(file, { bigint: true, throwIfNoEntry: false })
  return stat && `${stat.ino}-${stat.birthtimeNs}`
}

function lockOf(server: net.Server, socketPath: string, handle: number): Lock {
  let held = true
  return {
    release: async () => {
      if (!held) return
      held = false
      await giveUp(server, socketPath, handle)
    },
  }
}

/** Unlinks while still listening, so that nobody finds a dead lock in between. */
async function giveUp(server: net.Server, socketPath: string, handle: number): Promise<void> {
  fs.rmSync(socketPath, { force: true })
  await new Promise<void>((resolve) => server.close(() => resolve()))
  fs.closeSync(handle)
}
