// What the machine gives at best: bytes from a socket to a file, by a bare Node server in a process of its own.
import { connect } from 'node:net'
import { join } from 'node:path'
import { Child } from '../child.ts'
import type { Rate } from './load.ts'

export type LimitServer = AsyncDisposable & {
  readonly port: number
  /** From the start of the process until it said its port. */
  readonly readyMs: number
}

export async function startLimitServer(file: string): Promise<LimitServer> {
  const began = performance.now()
  const child = new Child([join(import.meta.dirname, 'limit-server.mjs'), file])
  const port = await child.find((line) => Number(line) || undefined)
  const readyMs = performance.now() - began
  return { port, readyMs, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() }
}

/** Bytes as fast as a bare socket takes them, in writes of 1 MiB. */
export function limitFor(port: number, ms: number): Promise<Rate> {
  const chunk = Buffer.alloc(1024 * 1024, 'x')
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const began = performance.now()
    let bytes = 0
    const write = (error?: Error | null) => {
      if (error) return reject(error)
      if (performance.now() - began > ms) {
        socket.end()
        return
      }
      bytes += chunk.length
      socket.write(chunk, write)
    }
    socket.on('connect', () => write())
    socket.on('error', reject)
    socket.on('data', () =>
      resolve({ records: 0, bytes, seconds: (performance.now() - began) / 1000 }),
    )
    socket.on('close', () => reject(new Error('the limit server hung up before it answered')))
  })
}
