import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createWorld } from '../create-world.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'minikafka-world-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

test('a world may keep its files on this machine', async () => {
  const world = createWorld({ seed: 1, clock: 'jumping' })
  const { disk } = world.env('a', { hostDisk: true })
  const path = join(directory, 'log')
  const file = await disk.open(path, 'create')
  await file.append([Buffer.from('kept '), Buffer.from('here')], 0)
  await file.sync()
  await file.close()
  expect(readFileSync(path, 'utf8')).toBe('kept here')
  expect(await disk.list(directory)).toEqual(['log'])
  expect(world.leftovers()).toEqual([])
  world.close()
})

test('what a killed process had open on this machine is closed, what it wrote stays', async () => {
  const world = createWorld({ seed: 1 })
  const env = world.env('a', { hostDisk: true })
  const path = join(directory, 'log')
  const file = await env.disk.open(path, 'create')
  await file.append([Buffer.from('written')], 0)
  world.kill('a')
  const again = world.env('a', { hostDisk: true })
  expect((await again.disk.readFile(path))?.toString()).toBe('written')
  expect(openFileCount()).toBe(0)
  void file.append([Buffer.from('by a ghost')], 0)
  await world.clock.advance('1s')
  expect(readFileSync(path, 'utf8')).toBe('written')
  world.close()
})

test('a world may use the sockets of this machine; disconnectAll and kill reach them', async () => {
  const world = createWorld({ seed: 1, realIo: true })
  const [server, client] = [
    world.env('server', { hostNetwork: true }),
    world.env('client', { hostNetwork: true }),
  ]
  const events: string[] = []
  const listener = await server.network.listen({ host: '127.0.0.1', port: 0 }, (socket) => {
    socket.receive(receiver((event) => events.push(`server ${event}`)))
  })
  const connect = async () => {
    const { host, port } = listener.address
    const socket = await client.network.connect({ host, port, timeoutMs: 5000 })
    socket.receive(receiver((event) => events.push(`client ${event}`)))
    return socket
  }
  const socket = await connect()
  socket.send([Buffer.from('hello')])
  await world.until(() => events.includes('server got hello'))
  world.network.disconnectAll('server')
  await world.until(() => events.includes('server closed'))
  world.kill('client')
  expect(world.leftovers().filter((line) => line.startsWith('client'))).toEqual([])
  await listener.close()
  expect(world.clock.monotonicMs()).toBe(0)
  world.close()
})

function receiver(tell: (event: string) => void) {
  const memory = Buffer.alloc(1000)
  return {
    target: () => memory,
    received: (size: number) => tell(`got ${memory.toString('utf8', 0, size)}`),
    ended: () => tell('ended'),
    closed: () => tell('closed'),
  }
}

/** Descriptors of files below the directory of this test; only Linux tells. */
function openFileCount(): number {
  if (!existsSync('/proc/self/fd')) return 0
  return readdirSync('/proc/self/fd').filter((name) => targetOf(name).startsWith(directory)).length
}

function targetOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`)
  } catch {
    return '' // The one that listed them is closed again.
  }
}
