// A topic with types. Enters: a name and codecs. Leaves: what send, push and consumers take in place of the bare name.
import { MinikafkaError } from '@minikafka/protocol'
import type { Bytes } from '../words.ts'
import { bytes, nullable } from './codecs.ts'
import type { Codec, Topic, TopicLike } from './types.ts'

/**
 * Name the types of a topic's keys and values once.
 *
 * Shape   without a codec: bytes or strings in, Buffers out; values may be null.
 */
export function topic<
  const N extends string,
  KI = Bytes,
  KO = Buffer,
  VI = Bytes | null,
  VO = Buffer | null,
>(
  name: N,
  codecs: {
    readonly key?: Codec<KI, KO> | undefined
    readonly value?: Codec<VI, VO> | undefined
  } = {},
): Topic<N, KI, KO, VI, VO> {
  if (typeof name !== 'string' || name === '') {
    throw new MinikafkaError('INVALID_OPTION', {
      message: 'topic() takes the name of a topic',
      path: 'name',
    })
  }
  return Object.freeze({
    name,
    key: codecs.key ?? (bytes() as unknown as Codec<KI, KO>),
    value: codecs.value ?? (nullable(bytes()) as unknown as Codec<VI, VO>),
  })
}

export function topicName(like: TopicLike): string {
  return typeof like === 'string' ? like : like.name
}
