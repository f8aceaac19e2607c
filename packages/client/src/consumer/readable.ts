// The consumer as a Node stream: a thin wrapper of its iterator.
import { Readable } from 'node:stream'

/** Object mode. It reads nothing ahead: to ask for a record is to finish the one before. */
export function recordStream(iterator: AsyncIterator<unknown>): Readable {
  return new Readable({
    objectMode: true,
    highWaterMark: 0,
    read() {
      iterator.next().then(
        ({ done, value }) => this.push(done ? null : value),
        (error: Error) => this.destroy(error),
      )
    },
    destroy(error, done) {
      const ending = iterator.return?.() ?? Promise.resolve()
      ending.then(
        () => done(error),
        () => done(error),
      )
    },
  })
}
