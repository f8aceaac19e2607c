import type { Env, File } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { createWorld } from '../create-world.ts'
import type { World } from '../world.ts'

const SEEDS = Array.from({ length: 100 }, (_, index) => index + 1)

test('a bit that flipped is read by everybody, and stays so', async () => {
  const { world, file } = await worldWithFile(Buffer.from('abc'))
  world.disk('a').flipBit('/data/log', 1, 0)
  expect(await textOf(file)).toBe('acc')
  world.kill('a')
  world.powerCut('a')
  expect(String(await world.env('a').disk.readFile('/data/log'))).toBe('acc')
  expect(() => world.disk('a').flipBit('/data/log', 3, 0)).toThrow('/data/log has 3 bytes')
  expect(() => world.disk('a').flipBit('/data/gone', 0, 0)).toThrow('no file /data/gone')
  world.close()
})

test('a bad sector gives EIO to whoever reads it, until it is written again whole', async () => {
  const { world, file } = await worldWithFile(Buffer.alloc(2000, 'x'))
  world.disk('a').failSector('/data/log', 600)
  const read = (position: number, size: number) => file.read(Buffer.alloc(size), position)
  await expect(read(1000, 100)).rejects.toMatchObject({ name: 'DiskError', code: 'EIO' })
  await expect(world.env('a').disk.readFile('/data/log')).rejects.toMatchObject({ code: 'EIO' })
  expect(await read(0, 512)).toBe(512)
  expect(await read(1024, 976)).toBe(976)
  await expect(write(file, Buffer.alloc(500, 'y'), 512)).rejects.toMatchObject({ code: 'EIO' })
  await expect(write(file, Buffer.alloc(424, 'y'), 600)).rejects.toMatchObject({ code: 'EIO' })
  await expect(read(512, 1)).rejects.toMatchObject({ code: 'EIO' })
  await write(file, Buffer.alloc(512, 'y'), 512)
  expect(await read(0, 2000)).toBe(2000)
  world.disk('a').failSector('/data/log', 1999)
  await file.truncate(1024)
  await file.truncate(2000)
  expect(await read(0, 2000)).toBe(2000)
  world.close()
})

test('reads and writes that are told to fail give EIO, of one path or of any', async () => {
  const { world, file } = await worldWithFile(Buffer.from('abc'))
  const { disk } = world.env('a')
  await disk.replaceFile('/other', Buffer.from('other'))
  world.disk('a').failRead(2, '/data')
  expect(String(await disk.readFile('/other'))).toBe('other')
  await expect(textOf(file)).rejects.toMatchObject({ code: 'EIO' })
  await expect(disk.readFile('/data/../data/log')).rejects.toMatchObject({ code: 'EIO' })
  expect(await textOf(file)).toBe('abc')
  world.disk('a').failWrite()
  await expect(write(file, Buffer.from('def'), 3)).rejects.toMatchObject({ code: 'EIO' })
  expect('abcdef'.startsWith(await textOf(file))).toBe(true)
  world.disk('a').failWrite(5)
  world.disk('a').heal()
  await write(file, Buffer.from('def'), 3)
  expect(await textOf(file)).toBe('abcdef')
  world.close()
})

test('a write that fails leaves any part of itself', async () => {
  const seen = new Set<string>()
  for (const seed of SEEDS) {
    const { world, file } = await worldWithFile(Buffer.from('abc'), seed)
    world.disk('a').failWrite()
    await expect(write(file, Buffer.from('de'), 3)).rejects.toMatchObject({ code: 'EIO' })
    seen.add(await textOf(file))
    world.close()
  }
  expect([...seen].sort()).toEqual(['abc', 'abcd', 'abcde'])
})

test('a sync that is told to fail fails for its own path alone', async () => {
  const { world, file } = await worldWithFile(Buffer.from('abc'))
  const { disk } = world.env('a')
  world.disk('a').failSync(1, '/data/log')
  await disk.replaceFile('/data/other', Buffer.from('x'))
  await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' })
  await file.sync()
  world.close()
})

test('names whose directory sync failed are gone at the power cut, whatever is synced later', async () => {
  for (const seed of SEEDS.slice(0, 20)) {
    const { world } = await worldWithFile(Buffer.from('abc'), seed)
    const { disk } = world.env('a')
    await (await disk.open('/data/new', 'create')).close()
    world.disk('a').failDirectorySync()
    await expect(disk.syncDirectory('/data')).rejects.toMatchObject({ code: 'EIO' })
    await disk.syncDirectory('/data')
    expect(await disk.list('/data')).toEqual(['log', 'new'])
    world.powerCut('a')
    expect(await world.env('a').disk.list('/data')).toEqual(['log'])
    world.close()
  }
})

test('a replacement whose directory did not sync is EIO, and the old content or the new one after a power cut', async () => {
  const { world } = await worldWithFile(Buffer.from('old'))
  const { disk } = world.env('a')
  world.disk('a').failDirectorySync()
  const replacing = disk.replaceFile('/data/log', Buffer.from('new'))
  await expect(replacing).rejects.toMatchObject({ code: 'EIO' })
  expect(String(await disk.readFile('/data/log'))).toBe('new')
  world.powerCut('a')
  expect(String(await world.env('a').disk.readFile('/data/log'))).toBe('old')
  world.close()
})

test('a quota that is used up is EDQUOT; a full disk makes no directory', async () => {
  const { world, file } = await worldWithFile(Buffer.from('abc'))
  const { disk } = world.env('a')
  world.disk('a').fill(0, 'EDQUOT')
  await expect(write(file, Buffer.from('d'), 3)).rejects.toMatchObject({ code: 'EDQUOT' })
  world.disk('a').fill(100)
  await expect(disk.makeDirectory('/data/new')).rejects.toMatchObject({ code: 'ENOSPC' })
  await disk.makeDirectory('/data')
  world.disk('a').heal()
  await disk.makeDirectory('/data/new')
  world.close()
})

test('a misdirected write damages one file and is missing in the other', async () => {
  const { world, file } = await worldWithFile(Buffer.from('log: '))
  const { disk } = world.env('a')
  await disk.replaceFile('/victim', Buffer.from('aaaaaaaa'))
  world.disk('a').misdirect('/data/log', { path: '/victim', position: 5 })
  await write(file, Buffer.from('12345'), 5)
  await file.sync()
  await write(file, Buffer.from('67890'), 10)
  expect(await textOf(file)).toBe('log: \0\0\0\0\x0067890')
  expect(String(await disk.readFile('/victim'))).toBe('aaaaa123')
  world.close()
})

test('bytes that rot do not make a file longer', async () => {
  const { world, file } = await worldWithFile(Buffer.from('abcdef'))
  world.disk('a').overwrite('/data/log', 4, Buffer.from('xyz'))
  expect(await textOf(file)).toBe('abcdxy')
  world.close()
})

test('an old copy takes the place of what the file became', async () => {
  const { world, file } = await worldWithFile(Buffer.from('old'))
  const copy = world.disk('a').keep('/data/log')
  await write(file, Buffer.from('new and longer'), 0)
  await file.sync()
  copy.putBack()
  expect(await textOf(file)).toBe('old')
  world.powerCut('a')
  expect(String(await world.env('a').disk.readFile('/data/log'))).toBe('old')
  world.close()
})

test('a swapped disk is an empty directory, and not swapped under a process', async () => {
  const { world } = await worldWithFile(Buffer.from('abc'))
  expect(() => world.disk('a').swap('/data')).toThrow('while nothing runs')
  world.kill('a')
  world.disk('a').swap('/data')
  expect(world.disk('a').files('/data')).toEqual([])
  const { disk } = world.env('a')
  expect(await disk.list('/data')).toEqual([])
  expect(await disk.list('/')).toContain('data')
  world.powerCut('a')
  expect(await world.env('a').disk.list('/data')).toEqual([])
  world.close()
})

test('what is durable of a file is told, by its own sync and by that of its directory', async () => {
  const { world, file } = await worldWithFile(Buffer.from('abc'))
  const { disk } = world.env('a')
  const look = world.disk('a')
  expect(look.files('/data')).toEqual([
    { path: '/data/log', size: 3, durableSize: 3, settled: true },
  ])
  await write(file, Buffer.from('def'), 3)
  expect(look.files()).toEqual([{ path: '/data/log', size: 6, durableSize: 3, settled: false }])
  expect([look.read('/data/log'), look.durable('/data/log')].map(String)).toEqual(['abcdef', 'abc'])
  const born = await disk.open('/data/born', 'create')
  await write(born, Buffer.from('x'), 0)
  await born.sync()
  expect([look.read('/data/born'), look.durable('/data/born')].map(String)).toEqual([
    'x',
    'undefined',
  ])
  await disk.rename('/data/born', '/data/log')
  expect(String(look.durable('/data/log'))).toBe('abc')
  await disk.syncDirectory('/data')
  expect(String(look.durable('/data/log'))).toBe('x')
  expect(look.read('/data/gone')).toBeUndefined()
  world.close()
})

/** `/data/log` with a content that is durable. */
async function worldWithFile(content: Buffer, seed = 1): Promise<{ world: World; file: File }> {
  const world = createWorld({ seed })
  const { disk }: Env = world.env('a')
  await disk.makeDirectory('/data')
  const file = await disk.open('/data/log', 'create')
  await write(file, content, 0)
  await file.sync()
  await disk.syncDirectory('/data')
  await disk.syncDirectory('/')
  return { world, file }
}

async function write(file: File, bytes: Buffer, position: number): Promise<void> {
  await file.append([bytes], position)
}

async function textOf(file: File): Promise<string> {
  const bytes = Buffer.alloc(await file.size())
  await file.read(bytes, 0)
  return String(bytes)
}
