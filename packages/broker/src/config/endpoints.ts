// Listeners: their names, where they bind, and what clients are told to dial.
import type { Address } from '@minikafka/platform'
import { InvalidConfig } from './invalid-config.ts'
import type { Values } from './settings.ts'

export type ListenerSpec = { readonly name: string; readonly bind: Address }

/** The listeners to open; the first one is `default` unless it was named otherwise. */
export function listenerSpecs(values: Values): readonly ListenerSpec[] {
  const specs =
    values.listeners === ''
      ? [{ name: 'default', bind: { host: values.host, port: values.port } }]
      : parseEndpoints('listeners', values.listeners)
  const names = new Set(specs.map(({ name }) => name))
  if (names.size !== specs.length) {
    throw new InvalidConfig('listeners', 'listeners: each name may stand once')
  }
  for (const { name, bind } of specs) {
    if (isLoopback(bind.host) || values['allow.insecure']) continue
    throw new InvalidConfig(
      'listeners',
      `listener ${name} at ${bind.host} would be open to the network without TLS and authentication. ` +
        'Bind 127.0.0.1, or set allow.insecure=true if that is what you want.',
    )
  }
  return specs
}

/** Where the pages of metrics and health are; undefined: nowhere. */
export function pagesAddress(values: Values): Address | undefined {
  const address = { host: values['http.host'], port: values['http.port'] }
  if (address.port === -1) return undefined
  if (isLoopback(address.host) || values['allow.insecure']) return address
  throw new InvalidConfig(
    'http.host',
    `http.host ${address.host}: metrics and health would be open to the network without authentication. ` +
      'Bind 127.0.0.1, set http.port=off, or set allow.insecure=true if that is what you want.',
  )
}

/** What clients of a listener are told to dial; undefined: as they dialled. */
export function advertisedAddresses(values: Values): ReadonlyMap<string, Address> {
  if (values.advertised === '') return new Map()
  return new Map(
    parseEndpoints('advertised', values.advertised).map(({ name, bind }) => [name, bind]),
  )
}

function parseEndpoints(key: string, text: string): readonly ListenerSpec[] {
  return text.split(',').map((item) => {
    const match = /^(?:([\w.-]+)=)?(?:\[([^\]]+)\]|([^:[\]=]+)):(\d{1,5})$/.exec(item.trim())
    const port = Number(match?.[4])
    if (!match || port > 65_535) {
      throw new InvalidConfig(
        key,
        `${key}: expected name=host:port, not ${JSON.stringify(item.slice(0, 80))}`,
      )
    }
    return { name: match[1] ?? 'default', bind: { host: match[2] ?? match[3] ?? '', port } }
  })
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
