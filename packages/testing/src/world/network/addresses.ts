// How the nodes of a world are named: each by its own name; loopback stays on the node.
import type { Address } from '@minikafka/platform'

const LOOPBACK = ['localhost', '127.0.0.1', '::1']
const ANY = ['0.0.0.0', '::']

export function isLoopback(host: string): boolean {
  return LOOPBACK.includes(host)
}

export function listensAnywhere(host: string): boolean {
  return ANY.includes(host)
}

/** The node that `host` means to somebody on `from`. */
export function nodeOf(host: string, from: string): string {
  return isLoopback(host) || listensAnywhere(host) ? from : host
}

export function nameOf({ host, port }: Address): string {
  return `${host}:${port}`
}
