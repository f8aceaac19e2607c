// The door of `topic`: names with types, codecs, schemas.
export { bytes, json, msgpack, nullable, text } from './codecs.ts'
export { type Slice, sliceOf, viewOf } from './slice.ts'
export type { InferInput, InferOutput, StandardSchema } from './standard-schema.ts'
export { topic, topicName } from './topic.ts'
export type { Codec, HeadersInit, Parts, RecordHeaders, Topic, TopicLike } from './types.ts'
