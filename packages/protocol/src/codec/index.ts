// The door of the codec: requests, responses and errors as frames, and back.
export { frameSize, LENGTH_SIZE } from './frame-writer.ts'
export type { DecodedRequest, RefusedFrame } from './request.ts'
export { BODY_DEPTH_MAX, decodeRequest, encodeRequest, unsupportedVersion } from './request.ts'
export {
  decodeError,
  decodeResponse,
  encodeError,
  encodeResponse,
  responseCorrelationId,
} from './response.ts'
