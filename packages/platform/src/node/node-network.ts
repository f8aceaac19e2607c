// TCP of this process.
import * as net from 'node:net'
import {
  type ConnectOptions,
  type Listener,
  type ListenOptions,
  type Network,
  NetworkError,
  type Socket,
} from '../env.ts'
import { networkError } from './network-error.ts'
import { NodeSocket } from './node-socket.ts'
import { ReceiveBuffer } from './receive-buffer.ts'

export const nodeNetwork: Network = { listen, connect }

function listen(options: ListenOptions, accept: (socket: Socket) => void): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const server = net.createServer(
      { allowHalfOpen: true, pauseOnConnect: true, noDelay: true },
      (socket) => {
        accept(new NodeSocket(socket, undefined))
      },
    )
    server.once('error', (error) => reject(networkError(error)))
    server.listen(
      { host: options.host, port: options.port, backlog: options.backlog ?? 511 },
      () => {
        // An accept that fails (EMFILE) is retried by the loop; it must not take the process down.
        server.on('error', () => {})
        const { address, port } = server.address() as net.AddressInfo
        resolve({
          address: { host: address, port },
          close: () => new Promise((done) => server.close(() => done())),
        })
      },
    )
  })
}

function connect({ host, port, timeoutMs, signal }: ConnectOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const buffer = new ReceiveBuffer()
    const socket = net.connect({
      host,
      port,
      allowHalfOpen: true,
      noDelay: true,
      onread: buffer.onread,
    })
    // Nothing is read before somebody receives it.
    socket.pause()
    const finish = (settle: () => void) => {
      clearTimeout(timeout)
      signal?.removeEventListener('abort', abort)
      socket.removeAllListeners()
      settle()
    }
    const fail = (error: unknown) =>
      finish(() => {
        socket.on('error', () => {})
        socket.destroy()
        reject(error)
      })
    const abort = () => fail(signal?.reason)
    const timeout = setTimeout(
      () =>
        fail(
          new NetworkError('ETIMEDOUT', `no connection to ${host}:${port} within ${timeoutMs} ms`),
        ),
      timeoutMs,
    )
    signal?.addEventListener('abort', abort, { once: true })
    socket.once('error', (error) => fail(networkError(error)))
    socket.once('connect', () => finish(() => resolve(new NodeSocket(socket, buffer))))
  })
}
