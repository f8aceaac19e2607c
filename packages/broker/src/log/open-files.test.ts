import { DiskError } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { LogBench } from '../../test/log-bench.ts'
import { counted } from '../../test/watched-disk.ts'
import { OpenFiles } from './open-files.ts'

async function benchWithFiles(count: number): Promise<{ bench: LogBench; paths: string[] }> {
  const bench = await LogBench.make()
  const paths = Array.from({ length: count }, (_, index) => `${bench.path}/file-${index}`)
  for (const path of paths) await bench.run(bench.env.disk.replaceFile(path, Buffer.from(path)))
  return { bench, paths }
}

test('the file used longest ago is closed, one that is held is not', async () => {
  const { bench, paths } = await benchWithFiles(4)
  const [first, second, third, fourth] = paths as [string, string, string, string]
  const files = new OpenFiles(bench.env.disk, 2, () => undefined)
  const touch = async (path: string) => {
    const open = await bench.run(files.acquire(path))
    files.release(open)
    return open
  }
  const held = await bench.run(files.acquire(first))
  const idle = await touch(second)
  await touch(third)
  expect(held.retired).toBe(false)
  expect(idle.retired).toBe(true)
  files.release(held)
  await touch(fourth)
  expect(held.retired).toBe(true)
  await bench.run(files.closeAll())
  expect(files.count).toBe(0)
})

test('a file that was dropped while it was held is closed when it is released', async () => {
  const { bench, paths } = await benchWithFiles(1)
  const path = paths[0] as string
  const files = new OpenFiles(bench.env.disk, 10, () => undefined)
  const held = await bench.run(files.acquire(path))
  files.drop(path)
  const into = Buffer.alloc(path.length)
  expect(await bench.run(held.file.read(into, 0))).toBe(path.length)
  const closed = files.closeAll()
  files.release(held)
  await bench.run(closed)
  await expect(bench.run(held.file.read(into, 0))).rejects.toMatchObject({ code: 'EBADF' })
})

test('a dirty file is synced before it is closed, and a failed sync is told', async () => {
  const { bench, paths } = await benchWithFiles(2)
  const failures: unknown[] = []
  const synced: string[] = []
  const disk = counted(bench.env.disk, { synced: (path) => synced.push(path) })
  const files = new OpenFiles(disk, 10, (error) => failures.push(error))
  for (const path of paths) {
    const open = await bench.run(files.acquire(path))
    open.dirty = true
    files.release(open)
  }
  files.drop(paths[0] as string)
  await bench.world.clock.advance('1s')
  expect(synced).toEqual([paths[0]])
  bench.world.disk('a').failSync()
  await bench.run(files.closeAll())
  expect(failures).toMatchObject([{ code: 'EIO' }])
})

test('two who make the same file at once hold the same one', async () => {
  const bench = await LogBench.make()
  const files = new OpenFiles(bench.env.disk, 10, () => undefined)
  const path = `${bench.path}/new`
  const [one, other] = await bench.run(
    Promise.all([files.acquire(path, true), files.acquire(path, true)]),
  )
  expect(one).toBe(other)
  expect(one.holders).toBe(2)
})

test('where the system allows fewer descriptors, idle files are closed and the open is tried again', async () => {
  const { bench, paths } = await benchWithFiles(6)
  let open = 0
  const disk = counted(bench.env.disk, {})
  const limited: typeof disk = {
    ...disk,
    async open(path, mode) {
      if (open >= 4) throw new DiskError('EMFILE', 'too many open files', path)
      open++
      const file = await disk.open(path, mode)
      return {
        ...file,
        close: () => {
          open--
          return file.close()
        },
      }
    },
  }
  const files = new OpenFiles(limited, 100, () => undefined)
  for (const path of paths) files.release(await bench.run(files.acquire(path)))
  expect(files.count).toBeLessThanOrEqual(4)
  await bench.run(files.closeAll())
})

test('a path that is dropped while it is being opened is opened anew, for those who wait already, too', async () => {
  const { bench, paths } = await benchWithFiles(1)
  const path = paths[0] as string
  let release: () => void = () => undefined
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const slow: typeof bench.env.disk = {
    ...counted(bench.env.disk, {}),
    async open(file, mode) {
      const opened = await bench.env.disk.open(file, mode)
      await held
      return opened
    },
  }
  const files = new OpenFiles(slow, 10, () => undefined)
  const early = files.acquire(path)
  const second = files.acquire(path)
  await bench.world.settled()
  files.drop(path)
  await bench.run(bench.env.disk.rename(path, `${path}.away`))
  await bench.run(bench.env.disk.replaceFile(path, Buffer.from('other')))
  const late = files.acquire(path)
  release()
  const into = Buffer.alloc(5)
  for (const acquired of [early, second, late]) {
    const open = await bench.run(acquired)
    await bench.run(open.file.read(into, 0))
    expect(into.toString()).toBe('other')
    files.release(open)
  }
  await bench.run(files.closeAll())
  expect(files.count).toBe(0)
})

test('while a directory is taken away nothing in it is opened or made', async () => {
  const { bench, paths } = await benchWithFiles(1)
  const path = paths[0] as string
  const files = new OpenFiles(bench.env.disk, 10, () => undefined)
  const away = files.withoutDirectory(bench.path, async () => {
    await expect(files.acquire(path)).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(files.acquire(`${bench.path}/new`, true)).rejects.toMatchObject({ code: 'ENOENT' })
  })
  await bench.run(away)
  files.release(await bench.run(files.acquire(path)))
  await bench.run(files.closeAll())
})

test('a directory is taken away while files elsewhere are held, and not while one in it is', async () => {
  const { bench, paths } = await benchWithFiles(1)
  const elsewhere = `${bench.path}-elsewhere`
  await bench.run(bench.env.disk.makeDirectory(elsewhere))
  await bench.run(bench.env.disk.replaceFile(`${elsewhere}/file`, Buffer.from('other')))
  const files = new OpenFiles(bench.env.disk, 10, () => undefined)
  const other = await bench.run(files.acquire(`${elsewhere}/file`))
  files.drop(other.path)
  await bench.run(files.withoutDirectory(bench.path, async () => undefined))
  const inside = await bench.run(files.acquire(paths[0] as string))
  let isAway = false
  const away = files.withoutDirectory(bench.path, async () => {
    isAway = true
  })
  await bench.world.settled()
  expect(isAway).toBe(false)
  files.release(inside)
  await bench.run(away)
  files.release(other)
  await bench.run(files.closeAll())
})
