// The exclusive lock of a directory. Node has no flock, so `.lock` is a Unix socket on which the owner listens: the
// kernel closes it when the owner dies, in whatever way, and whoever connects learns at once whether one is there.
//
//   lock.<nonce>   a socket as it was bound, of somebody who wants the lock; or one that was moved aside
//   .lock          a hard link to the owner's socket; who makes it has the lock, when nothing speaks against it
//
// A stale `.lock` is never removed in place: between the look and the removal it may have become another one's. It is
// moved aside, looked at again, and put back if it is alive (REPLICATION 2.1). But while a living owner's socket is
// aside `.lock` is free for a third. So who has made the link still looks for owners under the other names.
import type { Lock } from '../env.ts'
import { newDiskError, onPath } from './disk-error.ts'
import { LockClaim } from './lock-claim.ts'
import { LockPlace } from './lock-place.ts'

/** Each means that others are in the middle of the same: they need milliseconds. */
const ATTEMPTS_MAX = 500
const PAUSE_MS_MAX = 20

type Answer = { lock: Lock } | { heldBy: number | undefined }

export async function lockDirectory(directory: string): Promise<Answer> {
  // Windows has no such sockets. Only brokers to play with run there, each in a directory of its own.
  if (process.platform === 'win32') return { lock: { release: async () => {} } }
  const place = await onPath(directory, LockPlace.open(directory))
  let answer: Answer | undefined
  try {
    answer = await onPath(directory, decide(place))
  } finally {
    if (answer === undefined || 'heldBy' in answer) await place.close()
  }
  return answer
}

async function decide(place: LockPlace): Promise<Answer> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const claim = await LockClaim.make(place)
    const outcome = await claim?.pursue()
    if (claim !== undefined && outcome?.type === 'owned') return { lock: lockOf(claim, place) }
    if (outcome?.type === 'held') return { heldBy: outcome.pid }
    await pause()
  }
  throw newDiskError('EBUSY', 'others want the lock as well and nobody gets it, lock', place.path)
}

function lockOf(claim: LockClaim, place: LockPlace): Lock {
  let released: Promise<void> | undefined
  const release = async () => {
    await onPath(place.path, claim.giveUp())
    await place.close()
  }
  return {
    release() {
      released ??= release()
      return released
    },
  }
}

/** Of any length, or two who hinder each other would do so for ever. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.random() * PAUSE_MS_MAX)
  })
}
