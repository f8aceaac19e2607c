// The deadlines of a connection, as a pure question: which of them has passed? Source: SECURITY "Limits".
import type { ServerLimits } from './limits.ts'

/** Times are monotonic milliseconds. */
export type Progress = {
  /** `waiting`: the first frame is not whole. `open`: served. `ending`: FIN is sent or due. */
  readonly stage: 'waiting' | 'open' | 'ending' | 'ended'
  /** Since when no whole answer has been taken; undefined: the peer has taken all. */
  readonly unsentSinceMs: number | undefined
  readonly unsentBytes: number
  /** Bytes of the frame that is arriving; 0: none is. */
  readonly partialSize: number
  readonly frameBeganMs: number
  /** When bytes came, or an answer was given or taken. */
  readonly activeMs: number
  readonly inFlight: number
  /** We do not read: the peer cannot be late. */
  readonly isPaused: boolean
}

/** `idle` ends politely; `lingering` is cut off without a word; any other sentence says what the peer failed to do. */
export function overdue(
  progress: Progress,
  limits: ServerLimits,
  nowMs: number,
): 'idle' | 'lingering' | { readonly failure: string } | undefined {
  const { stage, unsentSinceMs, unsentBytes, partialSize, inFlight } = progress
  const msFor = (bytes: number) => (bytes / limits.frameBytesPerSecond) * 1000
  if (unsentSinceMs !== undefined) {
    // The kernel tells of whole answers only: a steady reader of a large one has the time that it takes.
    return nowMs - unsentSinceMs > limits.slowReaderMs + msFor(unsentBytes)
      ? failed('took no answer in time')
      : undefined
  }
  // To read the last answer and close, the peer may take as long as for a frame.
  if (stage === 'ended') return nowMs - progress.activeMs > limits.frameMs ? 'lingering' : undefined
  if (stage === 'ending' || progress.isPaused) return undefined
  const frameMs = nowMs - progress.frameBeganMs
  if (stage === 'waiting' && frameMs > limits.firstFrameMs) {
    return failed('sent no first frame in time')
  }
  if (partialSize > 0) {
    const allowedMs = limits.frameMs + msFor(partialSize)
    return frameMs > allowedMs ? failed('sent a frame too slowly') : undefined
  }
  const isIdle = stage === 'open' && inFlight === 0 && nowMs - progress.activeMs > limits.idleMs
  return isIdle ? 'idle' : undefined
}

function failed(failure: string) {
  return { failure }
}

const CHECK_MS_MAX = 1000
const CHECK_MS_MIN = 10

/** How often to ask: ten times within the shortest deadline, at most once a second. */
export function checkEveryMs(limits: ServerLimits): number {
  const { idleMs, firstFrameMs, frameMs, slowReaderMs } = limits
  const shortestMs = Math.min(idleMs, firstFrameMs, frameMs, slowReaderMs)
  return Math.max(CHECK_MS_MIN, Math.min(CHECK_MS_MAX, shortestMs / 10))
}
