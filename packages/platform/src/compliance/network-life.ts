// How a connection ends: half by half, at once, by the other side, before anybody received.
import { expect, test } from 'vitest'
import { NetworkError } from '../env.ts'
import type { InNetwork } from './network.ts'
import { pair, pattern } from './network-ends.ts'

const MIB = 2 ** 20
const MORE_THAN_FITS = 32 * MIB

export function lifeSuite(inNetwork: InNetwork): void {
  halves(inNetwork)
  destruction(inNetwork)
  lateReceivers(inNetwork)
  lateSends(inNetwork)
}

function halves(inNetwork: InNetwork): void {
  for (const first of ['client', 'server'] as const) {
    test(
      `when the ${first} ends, the other way stays open until that ends, too`,
      inNetwork(async (world) => {
        const ends = await pair(world)
        const ending = ends[first]
        const other = first === 'client' ? ends.server : ends.client
        const answer = pattern(300_000)
        ending.send('question')
        ending.socket.end()
        await world.run(other.until(() => other.events.includes('ended')))
        expect(other.text()).toBe('question')
        expect(other.events).toEqual(['bytes', 'ended'])
        other.socket.send([answer])
        await world.run(ending.has(answer.length))
        expect(ending.bytes().equals(answer)).toBe(true)
        expect(ending.events).toEqual(['bytes'])
        other.socket.end()
        await world.run(Promise.all([ending.gone, other.gone]))
        expect(ending.events).toEqual(['bytes', 'ended', 'closed'])
        expect(other.events).toEqual(['bytes', 'ended', 'closed'])
        expect([ending.closedWith, other.closedWith]).toEqual([undefined, undefined])
        await ends.close()
      }),
    )
  }

  test(
    'all that was sent before end() arrives before `ended`',
    inNetwork(async (world) => {
      const { client, server, close } = await pair(world)
      const bytes = pattern(6 * MIB)
      client.socket.send([bytes])
      client.socket.end()
      await world.run(server.until(() => server.events.includes('ended')))
      expect(server.bytes().equals(bytes)).toBe(true)
      await close()
    }),
  )

  test(
    'end() called twice, or after the end, changes nothing',
    inNetwork(async (world) => {
      const { client, server, close } = await pair(world)
      client.socket.end()
      client.socket.end()
      server.socket.end()
      await world.run(Promise.all([client.gone, server.gone]))
      client.socket.end()
      client.socket.pause()
      client.socket.resume()
      expect(client.closedWith).toBeUndefined()
      await close()
    }),
  )
}

function destruction(inNetwork: InNetwork): void {
  test(
    'destroy() ends both ends, and `closed` comes once, last, without an error here',
    inNetwork(async (world) => {
      const { client, server, listener } = await pair(world)
      client.socket.destroy()
      client.socket.destroy()
      expect(client.events).not.toContain('closed')
      await world.run(client.gone)
      expect(client.closedWith).toBeUndefined()
      await world.run(server.until(() => server.events.length > 0))
      server.socket.end()
      await world.run(server.gone)
      expect(server.events.at(-1)).toBe('closed')
      await world.run(listener.close())
    }),
  )

  test(
    'destroy() from within received() lets nothing more arrive',
    inNetwork(async (world) => {
      const { client, server, close } = await pair(world)
      server.targetSize = 10
      server.onReceived = () => server.socket.destroy()
      client.socket.send([pattern(100_000)])
      await world.run(server.gone)
      expect(server.receivedSize).toBeLessThanOrEqual(10)
      expect(server.events).toEqual(['bytes', 'closed'])
      await close()
    }),
  )

  test(
    'who waits for done learns that the socket was destroyed',
    inNetwork(async (world) => {
      const { client, server, close } = await pair(world)
      server.socket.pause()
      const sends = Promise.all([
        client.sent([pattern(MORE_THAN_FITS)]),
        client.sent([pattern(10)]),
      ])
      await world.advance(5)
      client.socket.destroy()
      for (const error of await world.run(sends)) expect(error).toBeInstanceOf(NetworkError)
      await world.run(client.gone)
      expect(client.socket.queuedBytes()).toBe(0)
      await close()
    }),
  )

  test(
    'a peer that goes without reading on is a reset',
    inNetwork(async (world) => {
      const { client, server, listener } = await pair(world)
      server.socket.pause()
      const sent = client.sent([pattern(MORE_THAN_FITS)])
      await world.advance(5)
      server.socket.destroy()
      const error = await world.run(sent)
      expect(error).toBeInstanceOf(NetworkError)
      await world.run(client.gone)
      expect(client.closedWith).toBeInstanceOf(NetworkError)
      expect(['ECONNRESET', 'EPIPE']).toContain((client.closedWith as NetworkError).code)
      expect(client.events.at(-1)).toBe('closed')
      await world.run(listener.close())
    }),
  )
}

function lateReceivers(inNetwork: InNetwork): void {
  test(
    'who receives from a socket that was destroyed is told so, later',
    inNetwork(async (world) => {
      const { client, server, close } = await pair(world, { receive: false })
      client.socket.destroy()
      await world.advance(5)
      client.receive()
      expect(client.events).toEqual([])
      await world.run(client.gone)
      expect(client.events).toEqual(['closed'])
      server.receive()
      await world.run(server.until(() => server.events.length > 0))
      server.socket.destroy()
      await world.run(server.gone)
      await close()
    }),
  )

  test(
    'bytes and end that came before anybody received are told afterwards',
    inNetwork(async (world) => {
      const { client, server, listener } = await pair(world, { receive: false })
      client.send('last words')
      client.socket.end()
      await world.advance(5)
      server.receive()
      await world.run(server.until(() => server.events.includes('ended')))
      expect(server.text()).toBe('last words')
      server.socket.end()
      client.receive()
      await world.run(Promise.all([client.gone, server.gone]))
      await world.run(listener.close())
    }),
  )
}

function lateSends(inNetwork: InNetwork): void {
  test(
    'send after end() or destroy() never throws; done gets the error, later',
    inNetwork(async (world) => {
      const { client, server, close } = await pair(world)
      client.socket.end()
      let told: unknown = 'nothing'
      const sent = new Promise<void>((resolve) => {
        client.socket.send([Buffer.from('late')], (error) => {
          told = error
          resolve()
        })
      })
      expect(told).toBe('nothing')
      await world.run(sent)
      expect(told).toBeInstanceOf(NetworkError)
      await world.run(server.until(() => server.events.includes('ended')))
      expect(server.text()).toBe('')
      server.socket.destroy()
      await world.run(server.gone)
      server.socket.send([Buffer.from('late')])
      expect(await world.run(server.sent([Buffer.from('late')]))).toBeInstanceOf(NetworkError)
      await close()
    }),
  )
}
