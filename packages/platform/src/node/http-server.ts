// The `httpServer` port over `node:http`, which is loaded when somebody listens.
// Enters: GET and HEAD. Leaves: small pages; whoever is slow, idle or one too many is sent away (SECURITY "metrics").
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Address, HttpServer, Listener, Page } from '../env.ts'
import { pageFor } from '../http-page.ts'
import { networkErrorOf } from './network-error.ts'

export const nodeHttpServer: HttpServer = { listen }

const LIMITS = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 8 * 1024,
} as const
/** Of a connection on which nothing moves, in either direction. */
const SILENT_MS = 10_000
const CONNECTIONS_MAX = 32

type PageOf = (path: string) => Page | Promise<Page>

async function listen({ host, port }: Address, pageOf: PageOf): Promise<Listener> {
  const { createServer } = await import('node:http')
  const server = createServer(LIMITS, (request, response) => {
    void answer(request, response, pageOf)
  })
  server.maxConnections = CONNECTIONS_MAX
  server.setTimeout(SILENT_MS)
  return await new Promise((resolve, reject) => {
    server.once('error', (error) => reject(networkErrorOf(error, `listen ${host}:${port}`)))
    server.listen({ host, port, exclusive: true }, () => {
      // One connection that could not be accepted is lost; the server goes on.
      server.on('error', () => {})
      resolve(listenerOf(server))
    })
  })
}

async function answer(request: IncomingMessage, response: ServerResponse, pageOf: PageOf) {
  const { method = '', url = '/', headers } = request
  const page = await pageFor(method, url, pageOf)
  const body = Buffer.from(page.body)
  const hasBody = 'transfer-encoding' in headers || Number(headers['content-length'] ?? 0) > 0
  response.writeHead(page.status, {
    'Content-Type': page.type,
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    // Nobody reads what else it sends.
    ...(hasBody ? { Connection: 'close' } : {}),
  })
  response.end(body)
}

function listenerOf(server: Server): Listener {
  const { address, port } = server.address() as AddressInfo
  return {
    address: { host: address, port },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
