import type { Env } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { createWorld } from '../create-world.ts'
import type { World } from '../world.ts'

const SEEDS = Array.from({ length: 200 }, (_, index) => index + 1)

test('a killed process loses nothing that it wrote', async () => {
  for (const seed of SEEDS.slice(0, 20)) {
    const world = createWorld({ seed })
    const env = world.env('a')
    await env.disk.makeDirectory('/data')
    const file = await env.disk.open('/data/log', 'create')
    await file.append([Buffer.from('hello '), Buffer.from('world')], 0)
    world.kill('a')
    expect(await contentOf(world.env('a'), '/data/log')).toBe('hello world')
    world.close()
  }
})

test('an append under way when the process dies is there whole, in part or not at all', async () => {
  const seen = new Set<string>()
  for (const seed of SEEDS) {
    const world = createWorld({ seed })
    const env = world.env('a')
    await env.disk.makeDirectory('/data')
    const file = await env.disk.open('/data/log', 'create')
    void file.append([Buffer.from('abc')], 0)
    world.kill('a')
    seen.add((await contentOf(world.env('a'), '/data/log')) ?? 'no file')
    world.close()
  }
  expect([...seen].sort()).toEqual(['', 'a', 'ab', 'abc'])
})

test('a power cut keeps what was synced, in a file whose directory was synced', async () => {
  for (const seed of SEEDS) {
    const world = await worldWithFile(seed)
    world.powerCut('a')
    const bytes = (await world.env('a').disk.readFile('/data/log')) ?? Buffer.alloc(0)
    expect(bytes.subarray(0, 2000).equals(Buffer.alloc(2000, 'a'))).toBe(true)
    world.close()
  }
})

test('a power cut keeps, drops or tears what was not synced', async () => {
  const fates = new Map<string, number>()
  for (const seed of SEEDS) {
    const world = await worldWithFile(seed)
    world.powerCut('a')
    const fate = fateOf((await world.env('a').disk.readFile('/data/log')) ?? Buffer.alloc(0))
    fates.set(fate, (fates.get(fate) ?? 0) + 1)
    world.close()
  }
  expect([...fates.keys()].sort()).toEqual([
    'garbage',
    'kept',
    'longer',
    'lost',
    'prefix',
    'sectors',
  ])
})

test('of a file that was written again and again and never synced a power cut leaves nothing, all or a beginning', async () => {
  const fates = new Map<string, number>()
  for (const seed of SEEDS) {
    const world = createWorld({ seed })
    const file = await createSynced(world.env('a'), '/data/log')
    for (let index = 0; index < 30; index++) await file.append([Buffer.alloc(99, 'x')], index * 99)
    world.powerCut('a')
    const bytes = (await world.env('a').disk.readFile('/data/log')) ?? Buffer.alloc(0)
    const whole = bytes.length === 30 * 99 ? 'all' : 'a beginning'
    const intact = bytes.every((byte) => byte === 120)
    const fate = bytes.length === 0 ? 'nothing' : intact ? whole : 'holes'
    fates.set(fate, (fates.get(fate) ?? 0) + 1)
    world.close()
  }
  for (const fate of ['nothing', 'all', 'a beginning', 'holes']) {
    expect(fates.get(fate) ?? 0, fate).toBeGreaterThan(8)
  }
})

test('a new name, a rename and a removal survive a power cut for sure only after a directory sync', async () => {
  const seen = new Set<string>()
  for (const seed of SEEDS) {
    const world = createWorld({ seed })
    const { disk } = world.env('a')
    await disk.makeDirectory('/data')
    for (const name of ['old', 'gone']) await (await disk.open(`/data/${name}`, 'create')).close()
    await disk.syncDirectory('/data')
    await disk.syncDirectory('/')
    await disk.rename('/data/old', '/data/new')
    await disk.removeFile('/data/gone')
    await (await disk.open('/data/born', 'create')).close()
    world.powerCut('a')
    seen.add((await world.env('a').disk.list('/data')).join(' '))
    world.close()
  }
  expect([...seen].sort()).toEqual([
    'born gone new',
    'born gone old',
    'born new',
    'born old',
    'gone new',
    'gone old',
    'new',
    'old',
  ])
})

test('replaceFile leaves the old or the new content whenever the power fails', async () => {
  const seen = new Set<string | undefined>()
  for (const seed of SEEDS) {
    const world = createWorld({ seed, diskLatency: { minMs: 1, maxMs: 10 } })
    const { disk } = world.env('a')
    await world.complete(disk.makeDirectory('/data'))
    await world.complete(disk.replaceFile('/data/meta', Buffer.from('old')))
    await world.complete(disk.syncDirectory('/'))
    void disk.replaceFile('/data/meta', Buffer.from('new'))
    await world.clock.advance(seed / 5)
    world.powerCut('a')
    const reading = contentOf(world.env('a'), '/data/meta')
    seen.add(await world.complete(reading))
    world.close()
  }
  expect([...seen].sort()).toEqual(['new', 'old'])
})

test('a failed sync leaves bytes that read fine until the power fails, whatever is synced later', async () => {
  const world = createWorld({ seed: 3 })
  const env = world.env('a')
  const file = await createSynced(env, '/data/log')
  await file.append([Buffer.from('acked?')], 0)
  world.disk('a').failSync()
  await expect(file.sync()).rejects.toMatchObject({ name: 'DiskError', code: 'EIO' })
  await file.sync()
  expect(await contentOf(env, '/data/log')).toBe('acked?')
  world.powerCut('a')
  expect(await contentOf(world.env('a'), '/data/log')).toBe('')
  world.close()
})

test('a full disk refuses with ENOSPC, perhaps after a part, until there is room again', async () => {
  for (const seed of SEEDS.slice(0, 20)) {
    const world = createWorld({ seed })
    const env = world.env('a')
    const file = await createSynced(env, '/data/log')
    world.disk('a').fill(100)
    expect(await env.disk.freeBytes('/data')).toBe(100)
    await file.append([Buffer.alloc(60, 'x')], 0)
    const writing = (async () => await file.append([Buffer.alloc(60, 'y')], 60))()
    await expect(writing).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(await file.size()).toBeLessThanOrEqual(100)
    await file.append([Buffer.alloc(60, 'z')], 0)
    world.disk('a').heal()
    await file.append([Buffer.alloc(60, 'y')], 60)
    expect(await file.size()).toBe(120)
    world.close()
  }
})

test('a full disk refuses a replacement with ENOSPC, and the old file is in place', async () => {
  for (const seed of SEEDS.slice(0, 20)) {
    const world = createWorld({ seed })
    const { disk } = world.env('a')
    await disk.replaceFile('/meta', Buffer.from('old'))
    world.disk('a').fill(2)
    await expect(disk.replaceFile('/meta', Buffer.from('new'))).rejects.toMatchObject({
      code: 'ENOSPC',
    })
    expect(await contentOf(world.env('a'), '/meta')).toBe('old')
    world.close()
  }
})

test('a removed file gives its space back', async () => {
  const world = createWorld({ seed: 1 })
  const { disk } = world.env('a')
  await disk.replaceFile('/big', Buffer.alloc(1000))
  world.disk('a').fill()
  await disk.removeFile('/big')
  expect(await disk.freeBytes('/')).toBe(1000)
  world.close()
})

test('a stalled disk does nothing before its time', async () => {
  const world = createWorld({ seed: 1 })
  const env = world.env('a')
  const file = await createSynced(env, '/data/log')
  world.disk('a').stall('10s')
  let done = false
  const work = (async () => {
    await file.append([Buffer.from('x')], 0)
    await file.sync()
    done = true
  })()
  await world.clock.advance('9s')
  expect(done).toBe(false)
  await world.clock.advance('1s')
  await work
  world.close()
})

test('a buffer used again before the append is done ends the process', async () => {
  let caught = 0
  for (const seed of SEEDS.slice(0, 20)) {
    const world = createWorld({ seed })
    const file = await createSynced(world.env('a'), '/data/log')
    const buffer = Buffer.from('first')
    const writing = file.append([buffer], 0)
    buffer.write('later')
    if (writing === undefined) continue
    await expect(world.settled()).rejects.toThrow('a buffer lent to append() stays as it was')
    caught++
  }
  expect(caught).toBeGreaterThan(0)
})

test('a buffer lent to a read holds nothing true before the read is done', async () => {
  const world = createWorld({ seed: 1 })
  const file = await createSynced(world.env('a'), '/data/log')
  await file.append([Buffer.from('content')], 0)
  const into = Buffer.alloc(7)
  const reading = file.read(into, 0)
  expect(into.toString()).not.toBe('content')
  await reading
  expect(into.toString()).toBe('content')
  void file.read(into, 0)
  into.write('mine')
  await expect(world.settled()).rejects.toThrow('a buffer lent to read() is left alone')
})

/** 2,000 bytes of `a` are durable, 2,000 of `b` behind them are not. */
async function worldWithFile(seed: number): Promise<World> {
  const world = createWorld({ seed })
  const file = await createSynced(world.env('a'), '/data/log')
  await file.append([Buffer.alloc(2000, 'a')], 0)
  await file.sync()
  await file.append([Buffer.alloc(2000, 'b')], 2000)
  return world
}

async function createSynced({ disk }: Env, path: string) {
  await disk.makeDirectory('/data')
  const file = await disk.open(path, 'create')
  await disk.syncDirectory('/data')
  await disk.syncDirectory('/')
  return file
}

async function contentOf({ disk }: Env, path: string): Promise<string | undefined> {
  return (await disk.readFile(path))?.toString()
}

function fateOf(bytes: Buffer): string {
  const rest = bytes.subarray(2000)
  const kept = rest.filter((byte) => byte === 98).length
  if (rest.length === 0) return 'lost'
  if (kept === 2000) return 'kept'
  if (rest.every((byte) => byte === 0)) return 'longer'
  const prefix = rest.findIndex((byte) => byte !== 98)
  if (kept === prefix || prefix === -1) return 'prefix'
  return rest.every((byte) => byte === 98 || byte === 0) ? 'sectors' : 'garbage'
}
