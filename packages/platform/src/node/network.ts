// The `network` port over `node:net`. Enters: addresses. Leaves: sockets that wait for their receiver.
import * as net from 'node:net'
import {
  type ConnectOptions,
  type Listener,
  type ListenOptions,
  type Network,
  NetworkError,
  type Socket,
} from '../env.ts'
import { nodeClock } from './clock.ts'
import { Inlet } from './inlet.ts'
import { networkErrorOf } from './network-error.ts'
import { NodeSocket } from './socket.ts'

export const nodeNetwork: Network = { listen, connect }

const BACKLOG_DEFAULT = 511

/** Half open: `ended` does not close. A peer whose host vanished is noticed in minutes, not never. */
const OPTIONS = {
  allowHalfOpen: true,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 60_000,
} as const

function listen(options: ListenOptions, accept: (socket: Socket) => void): Promise<Listener> {
  const { host, port, backlog = BACKLOG_DEFAULT, onAcceptFailed } = options
  return new Promise((resolve, reject) => {
    const server = net.createServer({ ...OPTIONS, pauseOnConnect: true }, (accepted) => {
      accept(readingInPlace(accepted))
    })
    server.once('error', (error) => reject(networkErrorOf(error, `listen ${host}:${port}`)))
    server.listen({ host, port, backlog, exclusive: true }, () => {
      // Where the descriptors of this process are used up libuv mostly accepts and closes by itself, and tells nobody.
      server.on('error', (error) => onAcceptFailed?.(networkErrorOf(error, 'accept')))
      resolve(listenerOf(server))
    })
  })
}

function listenerOf(server: net.Server): Listener {
  const { address, port } = server.address() as net.AddressInfo
  return {
    address: { host: address, port },
    close: () =>
      new Promise((resolve) => {
        // Its callback would wait for the open sockets as well.
        server.close()
        setImmediate(resolve)
      }),
  }
}

/** What there is inside a net.Socket. Not public: so it is looked at before it is used. */
type Inside = { _handle?: { useUserBuffer?: unknown; readStop?: unknown } | null }

/**
 * node:net offers reads in place to those who connect, not for what a server accepts. But a new net.Socket takes the
 * handle of another one, and `onread` with it: 10-25 % of the receive rate (PERFORMANCE 4). Where a future Node has
 * no such handle the accepted socket is taken as it is; where it ignores `onread`, bytes come as 'data'. Both copy.
 */
function readingInPlace(accepted: net.Socket): Socket {
  const inlet = new Inlet()
  const { _handle: handle } = accepted as Inside
  if (typeof handle?.useUserBuffer !== 'function' || typeof handle.readStop !== 'function') {
    return new NodeSocket(accepted, inlet)
  }
  const options = { handle, allowHalfOpen: true, pauseOnCreate: true, onread: inlet.onread }
  const socket = new net.Socket(options as net.SocketConstructorOpts)
  socket.pause()
  // The first one is thrown away without what it held.
  ;(accepted as Inside)._handle = null
  accepted.destroy()
  return new NodeSocket(socket, inlet)
}

function connect({ host, port, timeoutMs, signal }: ConnectOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const inlet = new Inlet()
    const socket = net.connect({ ...OPTIONS, host, port, onread: inlet.onread })
    // Nothing is read before somebody receives it.
    socket.pause()
    const what = `connect ${host}:${port}`
    const failed = (error: Error) => fail(networkErrorOf(error, what))
    const aborted = () => fail(signal?.reason)
    const connected = () => {
      settle()
      resolve(new NodeSocket(socket, inlet))
    }
    const timer = nodeClock.timer(timeoutMs, () => {
      fail(new NetworkError('ETIMEDOUT', `${what}: ETIMEDOUT, no answer in ${timeoutMs} ms`))
    })
    const settle = () => {
      timer.cancel()
      signal?.removeEventListener('abort', aborted)
      socket.off('error', failed).off('connect', connected)
    }
    const fail = (error: unknown) => {
      settle()
      socket.on('error', () => {})
      socket.destroy()
      reject(error)
    }
    signal?.addEventListener('abort', aborted, { once: true })
    socket.on('error', failed).on('connect', connected)
  })
}
