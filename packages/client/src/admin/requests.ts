// Calls of an admin, repeated: what a broker that restarts or moves answers is tried again until the deadline.
import {
  type ApiName,
  type Apis,
  isMinikafkaError,
  type MinikafkaError,
  type RequestOf,
  type ResponseOf,
} from '@minikafka/protocol'
import { errorOf, type ItemResult } from '../answers.ts'
import { type Core, Deadline, type Target, type TopicInfo } from '../core/index.ts'
import type { Wait } from '../words.ts'

export class Requests {
  readonly core: Core

  constructor(core: Core) {
    this.core = core
  }

  deadline(wait: Wait | undefined, what: string): Deadline {
    return new Deadline(this.core.env.clock, wait, this.core.settings.requestTimeoutMs, what)
  }

  call<A extends ApiName>(
    api: A,
    request: RequestOf<Apis[A]>,
    to: Target,
    deadline: Deadline,
  ): Promise<ResponseOf<Apis[A]>> {
    return this.retry(deadline, () => this.#once(api, request, to, deadline))
  }

  /**
   * One change, asked for until it is answered for good.
   *
   * Shape   `only` picks its result. `isRepeat`: an attempt before may have done it, so that "is there already" or "is
   *         gone" may be its own doing.
   */
  change<A extends ApiName, R extends ItemResult>(
    api: A,
    request: RequestOf<Apis[A]>,
    to: Target,
    options: {
      readonly deadline: Deadline
      readonly topic?: string | undefined
      readonly only: (response: ResponseOf<Apis[A]>) => R | undefined
    },
  ): Promise<{
    readonly result: R | undefined
    readonly error?: MinikafkaError
    readonly isRepeat: boolean
  }> {
    const { deadline, topic, only } = options
    return this.retry(deadline, async (isRepeat) => {
      const result = only(await this.#once(api, request, to, deadline))
      const error = result && errorOf(result, topic === undefined ? {} : { topic })
      if (error === undefined) return { result, isRepeat }
      if (isPassing(error)) throw error
      return { result, error, isRepeat }
    })
  }

  #once<A extends ApiName>(
    api: A,
    request: RequestOf<Apis[A]>,
    to: Target,
    deadline: Deadline,
  ): Promise<ResponseOf<Apis[A]>> {
    const timeoutMs = Math.max(1, deadline.leftMs)
    return this.core.call(api, request, { to, timeoutMs, signal: deadline.signal })
  }

  /** Runs `work` until it succeeds, fails for good, or the deadline passes; the last error is then the cause. */
  async retry<T>(deadline: Deadline, work: (isRepeat: boolean) => Promise<T>): Promise<T> {
    let isRepeat = false
    for (let failures = 1; ; failures++) {
      this.core.throwIfClosed()
      try {
        return await deadline.hold(work(isRepeat))
      } catch (error) {
        if (!isMinikafkaError(error) || !isPassing(error)) throw error
        isRepeat ||= error.outcome === 'unknown' || error.name === 'REQUEST_TIMED_OUT'
        // The controller or a leader may be another one by now.
        void this.core.metadata.refresh(error.name, error.topic === undefined ? [] : [error.topic])
        deadline.check(error)
        await deadline.sleep(this.core.backoffMs(failures))
        deadline.check(error)
      }
    }
  }

  /** Waits until this client itself knows the topic as `isReady` wants it: the first send then needs no retry (CLIENT 3, 18). */
  async known(
    name: string,
    isReady: (info: TopicInfo) => boolean,
    deadline: Deadline,
  ): Promise<TopicInfo> {
    const { metadata } = this.core
    for (let failures = 1; ; failures++) {
      await deadline.hold(metadata.refresh(`topic '${name}' was changed`, [name]))
      const info = metadata.topicNow(name)
      if (info !== undefined && isReady(info)) return info
      this.core.throwIfClosed()
      deadline.check(metadata.troubleOf(name))
      await deadline.sleep(this.core.backoffMs(failures))
      deadline.check(metadata.troubleOf(name))
    }
  }
}

/** A topic that is not there does not come by asking again. */
function isPassing(error: MinikafkaError): boolean {
  return error.retriable && error.name !== 'UNKNOWN_TOPIC_OR_PARTITION'
}
