// Answers, both directions. Enters: a response or an error. Leaves: a frame; and back.
//
//   response  [correlationId, 0, head, body, ...blobs]
//   error     [correlationId, errorCode, head, [message|nil, path|nil, details]]
import type { ApiName, Apis } from '../apis/index.ts'
import type { ResponseOf } from '../define.ts'
import { errorName, errorRow, MinikafkaError } from '../errors.ts'
import { readBody } from './body-reader.ts'
import { writeBody } from './body-writer.ts'
import { Envelope } from './envelope.ts'
import { frameOf } from './frame-writer.ts'
import { errorLayout, layoutOfApi } from './layout.ts'
import { BODY_DEPTH_MAX, writeChecked } from './request.ts'
import { WireError } from './wire-error.ts'

const RESPONSE_ITEMS = 4
/** Of a message or path; well below what a string may have. */
const TEXT_CHARS_MAX = 4000

/**
 * Encode one response as the buffers of a gather write, length prefix included; blobs are lent until it is sent.
 *
 * Errors  INVALID_REQUEST with the path of a field whose value the definition does not allow: a fault of the server.
 */
export function encodeResponse<A extends ApiName>(
  api: A,
  version: number,
  correlationId: number,
  response: ResponseOf<Apis[A]>,
): Uint8Array[] {
  const { items, blobs } = writeChecked(layoutOfApi(api).response, version, response)
  return frameOf([correlationId, 0, [], items], blobs)
}

export function encodeError(correlationId: number, error: MinikafkaError): Uint8Array[] {
  return frameOf([correlationId, error.code, [], writeErrorBody(error)], [])
}

/** Whose answer is this? Errors: PROTOCOL_VIOLATION. */
export function responseCorrelationId(frame: Uint8Array): number {
  return orViolation(() => new Envelope(frame, RESPONSE_ITEMS, BODY_DEPTH_MAX).int('correlationId'))
}

/**
 * Check and decode the answer to a request of `version`.
 *
 * Shape   `{ error }` where the server refused; blobs are views of `frame`.
 * Errors  PROTOCOL_VIOLATION where it is not in the protocol.
 */
export function decodeResponse<A extends ApiName>(
  api: A,
  version: number,
  frame: Uint8Array,
): { readonly response: ResponseOf<Apis[A]> } | { readonly error: MinikafkaError } {
  return orViolation(() => {
    const { code, envelope } = openAnswer(frame)
    if (code !== 0) return { error: errorIn(envelope, code) }
    const layout = layoutOfApi(api).response
    const response = readBody(envelope.content(layout), version, layout)
    // The layout was derived from the same definition as the type.
    return { response: response as ResponseOf<Apis[A]> }
  })
}

/** The error that a frame carries; undefined: it is a response. Errors: PROTOCOL_VIOLATION. */
export function decodeError(frame: Uint8Array): MinikafkaError | undefined {
  return orViolation(() => {
    const { code, envelope } = openAnswer(frame)
    return code === 0 ? undefined : errorIn(envelope, code)
  })
}

function openAnswer(frame: Uint8Array): { code: number; envelope: Envelope } {
  const envelope = new Envelope(frame, RESPONSE_ITEMS, BODY_DEPTH_MAX)
  envelope.int('correlationId')
  const code = envelope.int('errorCode')
  envelope.array('head')
  return { code, envelope }
}

function orViolation<T>(decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    const { path } = error
    const message = `The peer's answer is not in the protocol: ${error.sentence}`
    throw new MinikafkaError('PROTOCOL_VIOLATION', { message, path }, { cause: error })
  }
}

function writeErrorBody({ name, message, path, details }: MinikafkaError): unknown[] {
  const { about, cure, details: names = [] } = errorRow(name)
  const { items } = writeBody(errorLayout, 0, {
    message: message === `${about} ${cure}` ? null : message.slice(0, TEXT_CHARS_MAX),
    path: path?.slice(0, TEXT_CHARS_MAX) ?? null,
    details: names.map((detail) => details?.[detail]),
  })
  return items
}

function errorIn(envelope: Envelope, code: number): MinikafkaError {
  const content = envelope.content(errorLayout)
  const { message, path, details } = readBody(content, 0, errorLayout) as ErrorBody
  const name = errorName(code)
  const { details: names = [], outcome } = errorRow(name)
  const entries = names.flatMap((detail, index) => {
    const value = details[index] ?? null
    return value === null ? [] : [[detail, value] as const]
  })
  return new MinikafkaError(name, {
    message: message ?? undefined,
    path: path ?? undefined,
    details: entries.length === 0 ? undefined : Object.fromEntries(entries),
    outcome: outcome ?? 'not-written',
  })
}

type ErrorBody = {
  readonly message: string | null
  readonly path: string | null
  readonly details: readonly unknown[]
}
