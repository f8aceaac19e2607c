// Room 2 of the walk: frame -> checked request. Before it: protocol/rpc/server. After it: broker/dispatch.
// The frame is walked before it is decoded (SECURITY "Node specifics"). The other direction stands here, too.
//
//   request   [apiKey, apiVersion, correlationId, head, body, ...blobs]
import type { ApiName, Apis } from '../apis/index.ts'
import type { RequestOf } from '../define.ts'
import { MinikafkaError } from '../errors.ts'
import { readBody } from './body-reader.ts'
import { ValueError, writeBody } from './body-writer.ts'
import { Envelope } from './envelope.ts'
import { frameOf } from './frame-writer.ts'
import { type ApiLayout, layoutOfApi, layoutOfKey, type StructLayout } from './layout.ts'
import { WireError } from './wire-error.ts'

export const BODY_DEPTH_MAX = 32
const REQUEST_ITEMS = 5

type RequestFrame<A extends ApiName> = {
  readonly kind: 'request'
  readonly api: A
  readonly version: number
  readonly correlationId: number
  readonly request: RequestOf<Apis[A]>
}

/**
 * Why a frame is no request that can be served. `malformed`: the stream may be out of step, so the connection ends;
 * `value`: answered, and the connection stays.
 */
export type RefusedFrame = {
  readonly kind: 'refused'
  /** -1 where none was read. */
  readonly correlationId: number
  readonly reason: 'malformed' | 'value' | 'unknown-api' | 'unknown-version'
  readonly error: MinikafkaError
}

export type DecodedRequest = { [A in ApiName]: RequestFrame<A> }[ApiName] | RefusedFrame

/**
 * Check and decode one frame, length prefix excluded.
 *
 * Shape   blobs are views of `frame`; strings and numbers are copies. Never throws for what came from outside.
 * Errors  INVALID_REQUEST with the path of the field, UNSUPPORTED_VERSION {min, max}.
 */
export function decodeRequest(
  frame: Uint8Array,
  depthMax: number = BODY_DEPTH_MAX,
): DecodedRequest {
  const place = { correlationId: -1 }
  try {
    return decode(frame, depthMax, place)
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    const { sentence: message, path, reason } = error
    const refusal = new MinikafkaError('INVALID_REQUEST', { message, path })
    return { kind: 'refused', correlationId: place.correlationId, reason, error: refusal }
  }
}

function decode(
  frame: Uint8Array,
  depthMax: number,
  place: { correlationId: number },
): DecodedRequest {
  const envelope = new Envelope(frame, REQUEST_ITEMS, depthMax)
  const apiKey = envelope.int('apiKey')
  const version = envelope.int('apiVersion')
  const correlationId = envelope.int('correlationId')
  place.correlationId = correlationId
  envelope.array('head')
  const api = layoutOfKey(apiKey)
  const content = envelope.content(api?.request)
  if (api === undefined) return unknownApi(apiKey, correlationId)
  const [min, max] = api.api.versions
  // Version 0 of ApiVersions is frozen for ever: an unknown version of it is read, and answered, as that.
  const spoken = api.name === 'apiVersions' && version > max ? 0 : version
  if (spoken < min || spoken > max) return unknownVersion(api, version, correlationId)
  const request = readBody(content, spoken, api.request)
  // The layout was derived from the same definition as the type.
  return {
    kind: 'request',
    api: api.name,
    version: spoken,
    correlationId,
    request,
  } as DecodedRequest
}

function unknownApi(apiKey: number, correlationId: number): RefusedFrame {
  const message = `There is no API with key ${apiKey} here. Upgrade the older of the two.`
  const error = new MinikafkaError('UNSUPPORTED_VERSION', { message })
  return { kind: 'refused', correlationId, reason: 'unknown-api', error }
}

function unknownVersion({ api }: ApiLayout, version: number, correlationId: number): RefusedFrame {
  const [min, max] = api.versions
  const error = unsupportedVersion(api.name, version, { min, max })
  return { kind: 'refused', correlationId, reason: 'unknown-version', error }
}

export function unsupportedVersion(
  name: string,
  version: number,
  range: { readonly min: number; readonly max: number },
): MinikafkaError {
  const spoken = `version ${version} of ${name} is not spoken here, only ${range.min} to ${range.max}`
  return new MinikafkaError('UNSUPPORTED_VERSION', {
    message: `${spoken}. Upgrade the older of the two.`,
    details: range,
    outcome: 'not-written',
  })
}

/**
 * Encode one request as the buffers of a gather write, length prefix included.
 *
 * Shape   blobs are passed on as they are: lent until the frame is sent.
 * Errors  INVALID_REQUEST with the path of a field whose value the definition does not allow.
 */
export function encodeRequest<A extends ApiName>(
  api: A,
  version: number,
  correlationId: number,
  request: RequestOf<Apis[A]>,
): Uint8Array[] {
  const layout = layoutOfApi(api)
  const { items, blobs } = writeChecked(layout.request, version, request)
  return frameOf([layout.api.key, version, correlationId, [], items], blobs)
}

export function writeChecked(layout: StructLayout, version: number, value: unknown) {
  try {
    return writeBody(layout, version, value)
  } catch (error) {
    if (!(error instanceof ValueError)) throw error
    const path = error.path === '' ? undefined : error.path
    const message = path === undefined ? error.message : `${path}: ${error.message}`
    throw new MinikafkaError('INVALID_REQUEST', { message, path, outcome: 'not-written' })
  }
}
