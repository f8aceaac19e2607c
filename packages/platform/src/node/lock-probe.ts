// Is somebody there? Connects to the socket of a lock and listens to the answer.
import * as net from 'node:net'
import { hasCode } from './disk-error.ts'

/**
 * `owner`     has the lock; without a pid it accepts and says nothing: a process that is stopped, still the owner.
 * `linked`    has made `.lock` and is not yet sure.
 * `claiming`  is about to try.
 * `stale`     its process is dead.
 * `gone`      there is no such name, or it went while we looked.
 */
export type Probe =
  | { readonly type: 'owner'; readonly pid: number | undefined }
  | { readonly type: 'linked' | 'claiming' | 'stale' | 'gone' }

/** Silence is counted in steps, each begun when the one before is over: while this process stood still it could hear nothing. */
const SILENCE_STEPS = 10
const SILENCE_STEP_MS = 100
const ANSWER_CHARS_MAX = 32

/** Errors   of the system, as where the socket belongs to another user. */
export function probeSocket(path: string): Promise<Probe> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ path })
    let text = ''
    let steps = 0
    const timer = setInterval(() => {
      if (++steps === SILENCE_STEPS) finish({ type: 'owner', pid: undefined })
    }, SILENCE_STEP_MS)
    const finish = (probe: Probe | undefined, error?: Error) => {
      clearInterval(timer)
      socket.destroy()
      if (probe === undefined) reject(error)
      else resolve(probe)
    }
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      text += chunk
      if (text.endsWith('\n') || text.length > ANSWER_CHARS_MAX) finish(meaningOf(text.trim()))
    })
    socket.on('end', () => finish({ type: 'gone' }))
    socket.on('error', (error) => finish(meaningOfError(error), error))
  })
}

function meaningOf(answer: string): Probe {
  if (answer === 'linked' || answer === 'claiming') return { type: answer }
  const pid = Number(answer)
  return { type: 'owner', pid: Number.isSafeInteger(pid) ? pid : undefined }
}

function meaningOfError(error: Error): Probe | undefined {
  if (hasCode(error, 'ECONNREFUSED')) return { type: 'stale' }
  if (hasCode(error, 'ENOENT', 'ECONNRESET', 'EPIPE')) return { type: 'gone' }
  // So many wait for an answer that there is no room for one more.
  if (hasCode(error, 'EAGAIN')) return { type: 'owner', pid: undefined }
  return undefined
}
