// Reading partitions once, from offset to offset. Enters: targets. Leaves: every record between, handed out in turn.
import type { ConsumerOptions } from '@minikafka/client'
import { codeOf } from '../endings.ts'
import { EXIT } from '../failures.ts'
import { drawProgress } from '../progress.ts'
import type { Session } from '../session.ts'
import type { ReadRecords } from './consume-options.ts'
import { Places } from './consume-places.ts'
import type { Target } from './consume-targets.ts'

const POLL_RECORDS = 5_000
const POLL_WAIT_MS = 500

export type BoundedWork = {
  /** `copied` */
  readonly what: string
  readonly targets: readonly Target[]
  /** Ends it before its time, besides the first signal. */
  readonly stop?: AbortSignal
  readonly take: (records: readonly ReadRecords[]) => undefined | Promise<void>
}

/** True: all was read; false: it was stopped. Errors: of a topic that goes away meanwhile. */
export async function readOnce(session: Session, work: BoundedWork): Promise<boolean> {
  const open = work.targets.filter(({ from, end }) => from < end)
  if (open.length === 0) return true
  const stop = work.stop ? AbortSignal.any([session.signal, work.stop]) : session.signal
  const assign = open.map(({ topic, partition, start }) => ({ topic, partition, start }))
  const options = { isolation: 'read_committed', ...session.partOptions, assign }
  const consumer = session.client.consumer(options as ConsumerOptions<string>)
  const places = new Places(open)
  const failing = new AbortController()
  consumer.on('error', (error) => {
    if (codeOf(error) !== EXIT.notFound) return void session.say(error.message)
    failing.abort(error)
    consumer.stop()
  })
  const stopReading = () => consumer.stop()
  stop.addEventListener('abort', stopReading)
  let seen = 0
  const count = () => seen
  const { what } = work
  const stopDrawing = drawProgress(session, {
    what,
    total: places.total,
    done: count,
    unit: 'records',
    count,
  })
  try {
    while (!stop.aborted && !places.done) {
      failing.signal.throwIfAborted()
      const records = await consumer.poll({ max: POLL_RECORDS, maxWaitMs: POLL_WAIT_MS })
      const wanted = records.filter((record) => places.has(record))
      seen += wanted.length
      await work.take(wanted)
      places.advance(consumer)
    }
    return places.done
  } finally {
    stopDrawing()
    stop.removeEventListener('abort', stopReading)
    await consumer.close(session.wait)
  }
}
