// docs/protocol.md. Enters: the definitions of all APIs. Leaves: what is said on the wire, field by field.
import type { Api, Field, Fields, FieldType } from '@minikafka/protocol'
import { grouped, table } from './table.ts'

const INTRODUCTION = `# The protocol

Derived from \`packages/protocol/src/apis/\` by \`npm run docs\`; do not edit.

## Frames

TCP. Every message is one frame: a 4-byte big-endian length, then **one [msgpack](https://msgpack.org) array**
of that length. Any msgpack library reads one.

\`\`\`
request    [apiKey, apiVersion, correlationId, head, body, ...blobs]
response   [correlationId, 0, head, body, ...blobs]
error      [correlationId, errorCode, head, [message|nil, path|nil, details]]
\`\`\`

- \`apiKey\`, \`apiVersion\`, \`correlationId\` and \`errorCode\` are integers of at most 32 bits. The correlation id is echoed,
  never interpreted; an error that belongs to no request carries -1.
- \`head\` is an array, empty today. Readers walk over what is in it.
- \`body\` is an array of the API's fields, in the order of its tables below. A list is an array, a struct is an
  array of its fields, null is nil, a uuid is its lower-case text. Integers take any of msgpack's integer forms.
- \`int8\`, \`int16\` and \`int32\` have the range of their bits; \`int64\`, \`offset\` (from -2) and \`time\` (from -3,
  milliseconds since 1970) stay within ±(2^53 - 1).
- Record batches travel behind the body as *blobs*, each a \`bin\`. In the body a blob field is
  \`[index of its first blob, count]\`, or \`[-1, 0]\` where there is none. Each blob is named by exactly one field.
- \`details\` of an error is an array in the order that [errors.md](errors.md) gives; \`path\` is a JSON pointer to the
  field that is wrong, such as \`/appends/0/partition\`.
- Requests are pipelined; answers carry the correlation id and may overtake each other. Produce requests of one
  connection are appended in order. A broker reads only so many requests ahead of its answers, see ApiVersions.

A body is walked before it is decoded. Refused with \`INVALID_REQUEST\`: maps, extensions, floats where an integer is
due, strings that are not UTF-8, arrays nested deeper than 32, lists and strings beyond the limits below, bytes or
blobs that are left over. What is malformed costs the connection; a well-formed value that is not allowed does not.

## How a connection begins

The first request is ApiVersions, in a frame below 64 KiB without blobs: so its bytes are
\`00 00 xx xx 95\`, and a port can tell minikafka from Kafka, TLS and HTTP by five bytes.

## Versions

Every API is versioned by itself. Both ends use the highest version that both speak. A new field is appended and
carries the version since which it is sent; a reader whose peer does not send it sees its default. Unknown trailing
fields are ignored. What a reader may not ignore takes a new version.
`

export function protocolPage(apis: readonly Api[]): string {
  const sorted = [...apis].sort((a, b) => a.key - b.key)
  const overview = table(
    ['key', 'API', 'version', 'for', 'what it does'],
    sorted.map(overviewCells),
  )
  return [INTRODUCTION, '## APIs\n', `${overview}\n`, ...sorted.map(apiSection)].join('\n')
}

function overviewCells({ key, name, versions, audience, about }: Api): string[] {
  const link = `[${name}](#${name.toLowerCase()})`
  return [String(key), link, versionsText(versions), audience, firstSentence(about)]
}

function versionsText([min, max]: readonly [number, number]): string {
  return min === max ? String(min) : `${min} to ${max}`
}

function firstSentence(text: string): string {
  return text.split(/(?<=\.) /)[0] ?? text
}

function apiSection({ key, name, versions, acl, about, request, response, errors }: Api): string {
  const needs = acl.operation === 'NONE' ? 'none' : `${acl.operation} on ${acl.resource}`
  const errorList = errors.map((error) => `\`${error}\``).join(', ')
  return [
    `### ${name}\n`,
    `Key ${key}, version ${versionsText(versions)}. Needs the right: ${needs}.\n`,
    `${about}\n`,
    fieldSection('Request', request.fields),
    fieldSection('Response', response.fields),
    errors.length === 0 ? '' : `Errors: ${errorList}.\n`,
  ]
    .filter((part) => part !== '')
    .join('\n')
}

function fieldSection(title: string, fields: Fields): string {
  const rows = fieldRows(fields, '')
  if (rows.length === 0) return `**${title}**: no fields.\n`
  return `**${title}**\n\n${table(['field', 'type', 'since', 'what it is'], rows)}\n`
}

/** A struct's fields stand below the field that holds it: `appends[].partition`. */
function fieldRows(fields: Fields, prefix: string): string[][] {
  return Object.entries(fields).flatMap(([name, field]) => [
    [`\`${prefix}${name}\``, typeText(field.type), String(field.since), aboutText(field)],
    ...innerRows(field.type, `${prefix}${name}`),
  ])
}

function innerRows(type: FieldType, name: string): string[][] {
  switch (type.kind) {
    case 'nullable':
      return innerRows(type.of, name)
    case 'list':
      return innerRows(type.of, `${name}[]`)
    case 'struct':
      return fieldRows(type.fields, `${name}.`)
    default:
      return []
  }
}

function aboutText({ about, since, fallback }: Field<unknown>): string {
  return since === 0 ? about : `${about} Default: \`${JSON.stringify(fallback)}\`.`
}

function typeText(type: FieldType): string {
  switch (type.kind) {
    case 'int':
      return type.name
    case 'string':
      return `string, at most ${grouped(type.bytesMax)} bytes`
    case 'nullable':
      return `${typeText(type.of)}, or null`
    case 'list':
      return `list of ${typeText(type.of)}, at most ${grouped(type.countMax)}`
    case 'blob':
      return type.many ? 'blobs' : 'blob'
    default:
      return type.kind
  }
}
