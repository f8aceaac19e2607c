import { decode } from '@msgpack/msgpack'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyOfFields, anyRequest, anyResponse, apiNames } from '../../test/arbitrary.ts'
import { apis } from '../apis/index.ts'
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse } from './index.ts'

/** One frame as a receiver gets it: joined, without its length. */
function joined(buffers: readonly Uint8Array[]): Buffer {
  const all = Buffer.concat(buffers)
  expect(all.readUInt32BE(0)).toBe(all.length - 4)
  return all.subarray(4)
}

describe.each(apiNames)('%s', (api) => {
  // The version that carries all fields.
  const version = apis[api].versions[1]
  test('every request comes back as it was', () => {
    fc.assert(
      fc.property(anyOfFields(apis[api].request.fields), fc.integer(), (request, id) => {
        const frame = joined(encodeRequest(api, version, id | 0, request as never))
        expect(decodeRequest(frame)).toEqual({
          kind: 'request',
          api,
          version,
          correlationId: id | 0,
          request,
        })
      }),
    )
  })

  test('every response comes back as it was', () => {
    fc.assert(
      fc.property(anyOfFields(apis[api].response.fields), (response) => {
        const frame = joined(encodeResponse(api, version, 7, response as never))
        expect(decodeResponse(api, version, frame)).toEqual({ response })
      }),
    )
  })
})

test('a frame is plain msgpack: another decoder reads the same items', () => {
  fc.assert(
    fc.property(anyRequest, ({ api, request }) => {
      const version = apis[api].versions[1]
      const items = decode(joined(encodeRequest(api, version, 5, request as never))) as unknown[]
      expect(items.slice(0, 4)).toEqual([apis[api].key, version, 5, []])
      expect(items[4]).toHaveLength(Object.keys(apis[api].request.fields).length)
      expect(items.slice(5).every((blob) => blob instanceof Uint8Array)).toBe(true)
    }),
  )
})

const mutations = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('set' as const), at: fc.nat(), byte: fc.nat(255) }),
    fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), byte: fc.nat(255) }),
    fc.record({ kind: fc.constant('insert' as const), at: fc.nat(), byte: fc.nat(255) }),
  ),
  { minLength: 1, maxLength: 4 },
)

function mutate(frame: Buffer, changes: readonly { kind: string; at: number; byte: number }[]) {
  let bytes = Buffer.from(frame)
  for (const { kind, at, byte } of changes) {
    const position = at % (bytes.length + 1)
    if (kind === 'set' && position < bytes.length) bytes[position] = byte
    if (kind === 'cut') bytes = bytes.subarray(0, position)
    if (kind === 'insert') {
      bytes = Buffer.concat([
        bytes.subarray(0, position),
        Buffer.of(byte),
        bytes.subarray(position),
      ])
    }
  }
  return bytes
}

test('a mutated request is a request still, or refused by name; nothing is thrown', () => {
  fc.assert(
    fc.property(anyRequest, mutations, ({ api, request }, changes) => {
      const frame = mutate(joined(encodeRequest(api, 0, 1, request as never)), changes)
      const decoded = decodeRequest(frame)
      if (decoded.kind === 'refused') {
        expect(['INVALID_REQUEST', 'UNSUPPORTED_VERSION']).toContain(decoded.error.name)
      }
    }),
    { numRuns: 3000 },
  )
})

test('a mutated response is a response still, an error frame, or a PROTOCOL_VIOLATION', () => {
  fc.assert(
    fc.property(anyResponse, mutations, ({ api, response }, changes) => {
      const frame = mutate(joined(encodeResponse(api, 0, 1, response as never)), changes)
      try {
        decodeResponse(api, 0, frame)
      } catch (error) {
        expect((error as Error).name).toBe('PROTOCOL_VIOLATION')
      }
    }),
    { numRuns: 3000 },
  )
})

test('noise is refused by name; nothing is thrown', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      const decoded = decodeRequest(noise)
      if (decoded.kind === 'refused') {
        expect(['INVALID_REQUEST', 'UNSUPPORTED_VERSION']).toContain(decoded.error.name)
      }
    }),
    { numRuns: 3000 },
  )
})
