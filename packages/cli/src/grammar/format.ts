// What a format (-f) consists of: bytes and verbs, the same for printing and for reading. kcat's verbs where tools disagree.
// Enters: a format as typed. Leaves: its parts in order, or a UsageError.
import { UsageError } from '../usage-error.ts'
import { unescapeText } from './escapes.ts'

export type Encoding = 'plain' | 'hex' | 'base64' | 'json'

export type FormatPart =
  | { readonly is: 'bytes'; readonly bytes: Buffer }
  | { readonly is: 'topic' | 'partition' | 'offset' | 'timestamp' | 'time' }
  | { readonly is: 'keySize' | 'valueSize' | 'headers' }
  | { readonly is: 'key' | 'value'; readonly encoding: Encoding }
  | { readonly is: 'header'; readonly name: string }

const PLAIN_VERBS = {
  t: 'topic',
  p: 'partition',
  o: 'offset',
  T: 'timestamp',
  K: 'keySize',
  V: 'valueSize',
  S: 'valueSize',
} as const

/** %%, a verb that takes {…}, one that does not, or bytes. */
const PATTERN = /%([hdkvs])(?:\{([^}]*)\})?|%([\s\S]?)|((?:\\[\s\S]?|[^%\\])+)/g

export function parseFormat(format: string): readonly FormatPart[] {
  const parts: FormatPart[] = []
  for (const [, verb, argument, plain, text] of format.matchAll(PATTERN)) {
    if (verb !== undefined) parts.push(verbWithArgument(verb, argument))
    else if (plain !== undefined) parts.push(plainVerb(plain))
    else parts.push({ is: 'bytes', bytes: unescapeText(text ?? '') })
  }
  return parts
}

function plainVerb(verb: string): FormatPart {
  if (verb === '%') return { is: 'bytes', bytes: Buffer.from('%') }
  const is = new Map(Object.entries(PLAIN_VERBS)).get(verb)
  if (is === undefined) {
    throw new UsageError(
      verb === ''
        ? 'the format ends in the middle of a verb: write %% for a percent sign'
        : `%${verb} is no verb of a format: see minikafka help formats`,
    )
  }
  return { is }
}

function verbWithArgument(verb: string, argument: string | undefined): FormatPart {
  if (verb === 'h')
    return argument === undefined ? { is: 'headers' } : { is: 'header', name: argument }
  if (verb === 'd') {
    if (argument !== undefined && argument !== 'iso')
      throw new UsageError(`%d{${argument}}: only %d{iso} is known`)
    return { is: 'time' }
  }
  return { is: verb === 'k' ? 'key' : 'value', encoding: encodingOf(argument) }
}

function encodingOf(argument: string | undefined): Encoding {
  switch (argument) {
    case undefined:
      return 'plain'
    case 'hex':
    case 'base64':
    case 'json':
      return argument
    default:
      throw new UsageError(`{${argument}}: use {hex}, {base64} or {json}`)
  }
}
