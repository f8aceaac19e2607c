// What every implementation of the `network` port must do.
import { describe, expect, test } from 'vitest'
import type { Address, Network, NetworkError } from '../env.ts'
import { accepting, connect, pair } from './network-ends.ts'
import { lifeSuite } from './network-life.ts'
import { streamSuite } from './network-stream.ts'
import { inWorld, type MakeWorld, type PortWorld } from './port-world.ts'

export type NetworkWorld = PortWorld<Network> & {
  /** Where the suite listens and connects to: loopback. */
  readonly host: string
  /** Where nobody answers, not even by a refusal. Undefined: this world cannot offer one. */
  readonly silent?: Address | undefined
  /** The next connection to a listener on this port finds no descriptor free (EMFILE). */
  failAccept(port: number): void
}

export type InNetwork = (use: (world: NetworkWorld) => Promise<void>) => () => Promise<void>

export function networkCompliance(name: string, makeWorld: MakeWorld<NetworkWorld>): void {
  const inNetwork: InNetwork = (use) => () => inWorld(makeWorld, use)

  describe(`network: ${name}`, () => {
    listening(inNetwork)
    connecting(inNetwork)
    streamSuite(inNetwork)
    lifeSuite(inNetwork)
  })
}

function listening(inNetwork: InNetwork): void {
  test(
    'port 0 takes a free port and says which',
    inNetwork(async (world) => {
      const [one, other] = [await accepting(world), await accepting(world)]
      expect(one.listener.address.port).toBeGreaterThan(0)
      expect(other.listener.address.port).not.toBe(one.listener.address.port)
      await world.run(Promise.all([one.listener.close(), other.listener.close()]))
    }),
  )

  test(
    'a port is taken once, and free again when its listener has closed',
    inNetwork(async (world) => {
      const { listener } = await accepting(world)
      const { port } = listener.address
      await failsWith('EADDRINUSE', accepting(world, port))
      await world.run(listener.close())
      const again = await accepting(world, port)
      await world.run(again.listener.close())
    }),
  )

  test(
    'the two ends of a connection know each other by the same addresses',
    inNetwork(async (world) => {
      const { client, server, listener, close } = await pair(world)
      expect(client.socket.remote.port).toBe(listener.address.port)
      expect(server.socket.local.port).toBe(listener.address.port)
      expect(server.socket.remote).toEqual(client.socket.local)
      await close()
    }),
  )

  test(
    'a listener that closes takes nobody new and leaves open sockets alone',
    inNetwork(async (world) => {
      const { client, server, listener, close } = await pair(world)
      await world.run(listener.close())
      const { port } = listener.address
      await failsWith('ECONNREFUSED', connect(world, port))
      client.send('still here')
      await world.run(server.has(10))
      expect(server.text()).toBe('still here')
      await close()
    }),
  )

  test(
    'a connection that could not be accepted is told of, and the listener goes on',
    inNetwork(async (world) => {
      const failed: unknown[] = []
      const onAcceptFailed = (error: NetworkError) => failed.push(error)
      const { listener, accepted } = await accepting(world, 0, { onAcceptFailed })
      const { port } = listener.address
      world.failAccept(port)
      const lost = await connect(world, port)
      const first = await connect(world, port)
      await world.run(accepted(1))
      expect(failed).toMatchObject([{ name: 'NetworkError', code: 'EMFILE' }])
      for (const end of [lost, first]) end.socket.destroy()
      await world.run(listener.close())
    }),
  )

  test(
    'many connect at once, and each is a connection of its own',
    inNetwork(async (world) => {
      const ends = await accepting(world)
      const clients = await Promise.all(
        Array.from({ length: 50 }, () => connect(world, ends.listener.address.port)),
      )
      clients.forEach((client, index) => {
        client.send(`I am ${String(index).padStart(3, '0')}`)
      })
      const servers = await world.run(ends.accepted(50))
      for (const server of servers) await world.run(server.has(8))
      expect(new Set(servers.map((server) => server.text())).size).toBe(50)
      for (const end of [...clients, ...servers]) end.socket.destroy()
      await world.run(Promise.all([...clients, ...servers].map((end) => end.gone)))
      await world.run(ends.listener.close())
    }),
  )
}

function connecting(inNetwork: InNetwork): void {
  test(
    'where nobody listens the connection is refused, and the error names the address',
    inNetwork(async (world) => {
      const { listener } = await accepting(world)
      await world.run(listener.close())
      const { port } = listener.address
      const error = await failsWith('ECONNREFUSED', connect(world, port))
      expect(error.message).toContain(`${world.host}:${port}`)
    }),
  )

  test(
    'where nobody answers the time-out tells',
    inNetwork(async (world) => {
      const { port, run, silent } = world
      if (silent === undefined) return
      await failsWith('ETIMEDOUT', run(port.connect({ ...silent, timeoutMs: 300 })))
    }),
  )

  test(
    'a signal ends the wait with its reason, before and while it connects',
    inNetwork(async (world) => {
      const { port, run, silent, host } = world
      const reason = new Error('enough')
      const over = port.connect({
        host,
        port: 1,
        timeoutMs: 1000,
        signal: AbortSignal.abort(reason),
      })
      await expect(run(over)).rejects.toBe(reason)
      const abort = new AbortController()
      const address = silent ?? { host, port: (await accepting(world)).listener.address.port }
      const waiting = port.connect({ ...address, timeoutMs: 10_000, signal: abort.signal })
      abort.abort(reason)
      await expect(run(waiting)).rejects.toBe(reason)
    }),
  )

  test(
    'a signal that aborts later leaves the connection alone',
    inNetwork(async (world) => {
      const abort = new AbortController()
      const { client, server, close } = await pair(world, { signal: abort.signal })
      abort.abort(new Error('too late'))
      client.send('alive')
      await world.run(server.has(5))
      expect(server.text()).toBe('alive')
      await close()
    }),
  )
}

async function failsWith(code: string, work: Promise<unknown>): Promise<NetworkError> {
  const outcome = await work.then(
    () => 'success',
    (error: unknown) => error,
  )
  expect(outcome).toMatchObject({ name: 'NetworkError', code })
  return outcome as NetworkError
}
