// What goes through a connection: all bytes, in order, in lent memory, at the receiver's pace.
import { expect, test } from 'vitest'
import type { InNetwork } from './network.ts'
import { type End, pair, pattern } from './network-ends.ts'

const MIB = 2 ** 20
/** More than the kernels on both sides hold. */
const MORE_THAN_FITS = 32 * MIB

export function streamSuite(inNetwork: InNetwork): void {
  order(inNetwork)
  targets(inNetwork)
  done(inNetwork)
  pace(inNetwork)
}

function order(inNetwork: InNetwork): void {
  test(
    'bytes arrive in order and whole, from one byte to many MiB, both ways at once',
    inNetwork(async (world) => {
      const { client, server, close } = await pair(world)
      const sizes = [1, 2, 3, 1000, 16_384, 65_537, 300_000, 5 * MIB, 1]
      const buffers = sizes.map((size, index) => pattern(size, index))
      for (const buffer of buffers) {
        client.socket.send([buffer])
        server.socket.send([buffer])
      }
      const all = Buffer.concat(buffers)
      await world.run(Promise.all([client.has(all.length), server.has(all.length)]))
      expect(client.bytes().equals(all)).toBe(true)
      expect(server.bytes().equals(all)).toBe(true)
      expect(client.socket.queuedBytes()).toBe(0)
      await close()
    }),
  )

  test(
    'the buffers of one send follow each other, empty ones and plain views among them',
    inNetwork(async (world) => {
      const { client, server, close } = await pair(world)
      const memory = pattern(4000)
      const buffers = [
        Buffer.alloc(0),
        new Uint8Array(memory.buffer, memory.byteOffset + 5, 700),
        Buffer.from('middle'),
        ...Array.from({ length: 1500 }, (_, index) => memory.subarray(index, index + (index % 9))),
        Buffer.alloc(0),
      ]
      client.socket.send(buffers)
      client.socket.send([])
      client.socket.send([Buffer.from('end')])
      const all = Buffer.concat([...buffers, Buffer.from('end')])
      await world.run(server.has(all.length))
      expect(server.bytes().equals(all)).toBe(true)
      await close()
    }),
  )

  test(
    'what arrives before anybody receives waits',
    inNetwork(async (world) => {
      const { client, server, close } = await pair(world, { receive: false })
      client.send('early')
      server.send('early, too')
      await world.advance(5)
      client.receive()
      server.receive()
      await world.run(Promise.all([server.has(5), client.has(10)]))
      expect([server.text(), client.text()]).toEqual(['early', 'early, too'])
      await close()
    }),
  )

  test(
    'an answer goes out from within received()',
    inNetwork(async (world) => {
      const { client, server, close } = await pair(world)
      server.onReceived = () => server.socket.send([Buffer.from(`${server.receivedSize};`)])
      client.send('a')
      await world.run(client.has(2))
      client.send('b')
      await world.run(client.has(4))
      expect(client.text()).toBe('1;2;')
      await close()
    }),
  )
}

function targets(inNetwork: InNetwork): void {
  for (const targetSize of [1, 7, 1000, 65_536, MIB]) {
    test(
      `targets of ${targetSize} bytes get all bytes, and are left alone once they were received`,
      inNetwork(async (world) => {
        const { client, server, close } = await pair(world)
        const bytes = pattern(targetSize < 100 ? 20_000 : 2 * MIB)
        for (const end of [client, server]) end.targetSize = targetSize
        client.socket.send([bytes])
        server.socket.send([bytes])
        await world.run(Promise.all([client.has(bytes.length), server.has(bytes.length)]))
        for (const end of [client, server]) {
          expect(end.bytes().equals(bytes)).toBe(true)
          end.expectReturnedUntouched()
        }
        await close()
      }),
    )
  }

  test(
    'targets may change their size from one to the next',
    inNetwork(async (world) => {
      const { client, server, close } = await pair(world)
      const bytes = pattern(MIB)
      const sizes = [1, 65_536, 3, 200_000, 17]
      let turn = 0
      server.onReceived = () => {
        server.targetSize = sizes[turn++ % sizes.length] as number
      }
      for (let from = 0; from < bytes.length; from += 50_000) {
        client.socket.send([bytes.subarray(from, from + 50_000)])
      }
      await world.run(server.has(bytes.length))
      expect(server.bytes().equals(bytes)).toBe(true)
      await close()
    }),
  )
}

function done(inNetwork: InNetwork): void {
  test(
    'done is called once for each send, in their order, and not within the call',
    inNetwork(async (world) => {
      const { client, server, close } = await pair(world)
      const order: string[] = []
      const all = Promise.all(
        [1, 100_000, 0, 2 * MIB, 1].map(
          (size, index) =>
            new Promise<void>((resolve) => {
              client.socket.send([pattern(size)], (error) => {
                order.push(error === undefined ? `${index}` : `${index} ${error}`)
                resolve()
              })
              order.push(`sent ${index}`)
            }),
        ),
      )
      await world.run(all)
      expect(order).toEqual([
        'sent 0',
        'sent 1',
        'sent 2',
        'sent 3',
        'sent 4',
        '0',
        '1',
        '2',
        '3',
        '4',
      ])
      await world.run(server.has(2 * MIB + 100_002))
      await close()
    }),
  )

  test(
    'a buffer that done gave back may be used again',
    inNetwork(async (world) => {
      const { client, server, close } = await pair(world)
      const buffer = Buffer.alloc(50_000)
      for (let index = 0; index < 20; index++) {
        buffer.fill(65 + index)
        expect(await world.run(client.sent([buffer]))).toBeUndefined()
      }
      await world.run(server.has(20 * buffer.length))
      const letters = Array.from({ length: 20 }, (_, index) => Buffer.alloc(50_000, 65 + index))
      expect(server.bytes().equals(Buffer.concat(letters))).toBe(true)
      await close()
    }),
  )
}

function pace(inNetwork: InNetwork): void {
  for (const paused of ['client', 'server'] as const) {
    test(
      `a paused ${paused} holds its peer back, and gets everything when it resumes`,
      inNetwork(async (world) => {
        const ends = await pair(world)
        const reader = ends[paused]
        const writer = paused === 'client' ? ends.server : ends.client
        const bytes = pattern(MORE_THAN_FITS)
        reader.targetSize = MIB
        reader.socket.pause()
        const sent = watched(writer.sent([bytes]))
        await world.advance(20)
        expect(sent.settled).toBe(false)
        expect(writer.socket.queuedBytes()).toBeGreaterThan(0)
        expect(reader.receivedSize).toBeLessThan(bytes.length / 2)
        reader.socket.resume()
        expect(await world.run(sent.promise)).toBeUndefined()
        await world.run(reader.has(bytes.length))
        expect(reader.bytes().equals(bytes)).toBe(true)
        expect(writer.socket.queuedBytes()).toBe(0)
        await ends.close()
      }),
    )
  }

  for (const paused of ['client', 'server'] as const) {
    test(
      `a ${paused} that pauses in the turn in which it began to receive holds its peer back`,
      inNetwork(async (world) => {
        const ends = await pair(world, { receive: false })
        const reader = ends[paused]
        const writer = paused === 'client' ? ends.server : ends.client
        const bytes = pattern(MORE_THAN_FITS)
        reader.targetSize = MIB
        writer.receive()
        reader.receive().socket.pause()
        const sent = watched(writer.sent([bytes]))
        await world.advance(20)
        expect(sent.settled).toBe(false)
        expect(reader.receivedSize).toBeLessThan(bytes.length / 8)
        reader.socket.resume()
        expect(await world.run(sent.promise)).toBeUndefined()
        await world.run(reader.has(bytes.length))
        expect(reader.bytes().equals(bytes)).toBe(true)
        await ends.close()
      }),
    )
  }

  test(
    'a receiver may pause from within received(), and resume later',
    inNetwork(async (world) => {
      const { client, server, close } = await pair(world)
      const bytes = pattern(3 * MIB)
      let pauses = 0
      server.onReceived = () => {
        server.socket.pause()
        pauses++
        resumeLater(server)
      }
      client.socket.send([bytes])
      await world.run(server.has(bytes.length))
      expect(server.bytes().equals(bytes)).toBe(true)
      expect(pauses).toBeGreaterThan(1)
      await close()
    }),
  )

  test(
    'pause and resume, called twice or for nothing, change nothing',
    inNetwork(async (world) => {
      const { client, server, close } = await pair(world)
      server.socket.resume()
      server.socket.pause()
      server.socket.pause()
      client.send('text')
      await world.advance(5)
      server.socket.resume()
      server.socket.resume()
      await world.run(server.has(4))
      expect(server.text()).toBe('text')
      await close()
    }),
  )
}

function resumeLater(end: End): void {
  void Promise.resolve().then(() => end.socket.resume())
}

function watched<T>(promise: Promise<T>): { readonly promise: Promise<T>; settled: boolean } {
  const watch = { promise, settled: false }
  const settle = () => {
    watch.settled = true
  }
  promise.then(settle, settle)
  return watch
}
