// Names: whole files, renames, removals, directories, the lock.
import { expect, test, vi } from 'vitest'
import { DiskError } from '../env.ts'
import type { DiskWorld, InDisk } from './disk.ts'
import { create, failsWith, open, text, write } from './disk-files.ts'

export function directorySuite(inDisk: InDisk): void {
  wholeFiles(inDisk)
  renames(inDisk)
  removals(inDisk)
  directories(inDisk)
  facts(inDisk)
  locks(inDisk)
}

function wholeFiles(inDisk: InDisk): void {
  test(
    'readFile gives the whole content, or undefined where there is no file',
    inDisk(async (world) => {
      const { port, directory, run } = world
      expect(await run(port.readFile(`${directory}/absent`))).toBeUndefined()
      await write(world, 'a', '')
      expect(await run(port.readFile(`${directory}/a`))).toEqual(Buffer.alloc(0))
      await write(world, 'b', 'x'.repeat(100_000))
      expect(await text(world, 'b')).toBe('x'.repeat(100_000))
      await failsWith('EISDIR', () => run(port.readFile(directory)))
    }),
  )

  test(
    'replaceFile makes a file and replaces its whole content, and leaves nothing else',
    inDisk(async (world) => {
      const { port, directory, run } = world
      await run(port.replaceFile(`${directory}/a`, Buffer.from('a long first content')))
      expect(await text(world, 'a')).toBe('a long first content')
      await run(port.replaceFile(`${directory}/a`, new Uint8Array([50, 110, 100])))
      expect(await text(world, 'a')).toBe('2nd')
      const slices = ['one ', '', 'two'].map((text) => Buffer.from(text))
      await run(port.replaceFile(`${directory}/a`, slices))
      expect(String(await run(port.readFile(`${directory}/a`)))).toBe('one two')
      await run(port.replaceFile(`${directory}/a`, Buffer.alloc(0)))
      expect(await text(world, 'a')).toBe('')
      expect(await run(port.list(directory))).toEqual(['a'])
      await failsWith('ENOENT', () =>
        run(port.replaceFile(`${directory}/absent/a`, Buffer.from('x'))),
      )
    }),
  )

  test(
    'replaceFile whose directory cannot be synced is EIO: the new content is in place',
    inDisk(async (world) => {
      const { port, directory, run } = world
      await run(port.replaceFile(`${directory}/a`, Buffer.from('old')))
      for (const code of ['ENOSPC', 'EDQUOT', 'EMFILE']) {
        // The step after the rename, as every implementation takes it.
        const syncs = vi.spyOn(port, 'syncDirectory')
        syncs.mockRejectedValueOnce(new DiskError(code, `${code}: told to fail`))
        const replaced = () => run(port.replaceFile(`${directory}/a`, Buffer.from(code)))
        const error = await failsWith('EIO', replaced)
        expect(error).toMatchObject({ path: `${directory}/a`, cause: { code } })
        syncs.mockRestore()
        expect(await text(world, 'a')).toBe(code)
      }
      expect(await run(port.list(directory))).toEqual(['a'])
    }),
  )

  test(
    'whoever reads a file while it is replaced sees one whole content or the other',
    inDisk(async (world) => {
      const { port, directory, run } = world
      const path = `${directory}/a`
      const contents = ['old', 'new and longer'].map((text) => text.repeat(10_000))
      await run(port.replaceFile(path, Buffer.from(contents[0] as string)))
      const replacing = port.replaceFile(path, Buffer.from(contents[1] as string))
      const reads = Array.from({ length: 20 }, () => port.readFile(path))
      const seen = await run(Promise.all(reads))
      await run(replacing)
      for (const content of seen) expect(contents).toContain(content?.toString())
      expect(await text(world, 'a')).toBe(contents[1])
    }),
  )

  test(
    'a file that is open when another takes its name keeps what it held',
    inDisk(async (world) => {
      const { port, directory, run } = world
      await write(world, 'a', 'old')
      const file = await open(world, 'a', 'read')
      await run(port.replaceFile(`${directory}/a`, Buffer.from('new')))
      const into = Buffer.alloc(3)
      await run(file.read(into, 0))
      expect([into.toString(), await text(world, 'a')]).toEqual(['old', 'new'])
      await run(file.close())
    }),
  )

  test(
    'replaceFile again and again, and for many files at once',
    inDisk(async (world) => {
      const { port, directory, run } = world
      const names = Array.from({ length: 12 }, (_, index) => `file-${index}`)
      for (const round of ['first', 'second']) {
        await run(
          Promise.all(
            names.map((name) =>
              port.replaceFile(`${directory}/${name}`, Buffer.from(round + name)),
            ),
          ),
        )
      }
      for (const name of names) expect(await text(world, name)).toBe(`second${name}`)
    }),
  )
}

function renames(inDisk: InDisk): void {
  test(
    'rename moves a file, also over one that exists',
    inDisk(async (world) => {
      const { port, directory, run } = world
      await write(world, 'a', 'from a')
      await write(world, 'b', 'from b')
      await run(port.rename(`${directory}/a`, `${directory}/b`))
      expect(await text(world, 'b')).toBe('from a')
      expect(await run(port.list(directory))).toEqual(['b'])
      await failsWith('ENOENT', () => run(port.rename(`${directory}/a`, `${directory}/c`)))
    }),
  )

  test(
    'rename moves a directory with all it holds',
    inDisk(async (world) => {
      const { port, directory, run } = world
      await run(port.makeDirectory(`${directory}/d`))
      await write(world, 'd/a', 'inside')
      await run(port.rename(`${directory}/d`, `${directory}/e`))
      expect(await text(world, 'e/a')).toBe('inside')
      expect(await run(port.list(directory))).toEqual(['e'])
    }),
  )

  test(
    'rename does not put a directory over one that holds something',
    inDisk(async (world) => {
      const { port, directory, run } = world
      await run(port.makeDirectory(`${directory}/d`))
      await run(port.makeDirectory(`${directory}/e`))
      await write(world, 'e/a', 'kept')
      await failsWith('ENOTEMPTY', () => run(port.rename(`${directory}/d`, `${directory}/e`)))
      expect(await text(world, 'e/a')).toBe('kept')
    }),
  )
}

function removals(inDisk: InDisk): void {
  test(
    'removeFile removes one file; absent is fine, a directory is not a file',
    inDisk(async (world) => {
      const { port, directory, run } = world
      await write(world, 'a', 'text')
      await write(world, 'b', 'text')
      await run(port.removeFile(`${directory}/a`))
      await run(port.removeFile(`${directory}/a`))
      await run(port.removeFile(`${directory}/absent/a`))
      expect(await run(port.list(directory))).toEqual(['b'])
      await run(port.makeDirectory(`${directory}/d`))
      await failsWith('EISDIR', () => run(port.removeFile(`${directory}/d`)))
    }),
  )

  test(
    'removeDirectory removes all that is below; absent is fine, a file is not a directory',
    inDisk(async (world) => {
      const { port, directory, run } = world
      await run(port.makeDirectory(`${directory}/d/e/f`))
      for (const name of ['d/a', 'd/e/b', 'd/e/f/c']) await write(world, name, 'text')
      await write(world, 'a', 'kept')
      await run(port.removeDirectory(`${directory}/d`))
      await run(port.removeDirectory(`${directory}/d`))
      expect(await run(port.list(directory))).toEqual(['a'])
      await failsWith('ENOTDIR', () => run(port.removeDirectory(`${directory}/a`)))
      expect(await text(world, 'a')).toBe('kept')
    }),
  )
}

function directories(inDisk: InDisk): void {
  test(
    'makeDirectory makes the parents, too; present is fine, a file in its place is not',
    inDisk(async (world) => {
      const { port, directory, run } = world
      await run(port.makeDirectory(`${directory}/d/e`))
      await write(world, 'd/e/a', 'kept')
      await run(port.makeDirectory(`${directory}/d/e`))
      expect(await text(world, 'd/e/a')).toBe('kept')
      await failsWith('EEXIST', () => run(port.makeDirectory(`${directory}/d/e/a`)))
    }),
  )

  test(
    'list gives the names in it, sorted, and nothing of what is below',
    inDisk(async (world) => {
      const { port, directory, run } = world
      for (const name of ['b', 'a-10', 'a-9', 'B', '.hidden']) await write(world, name, '')
      await run(port.makeDirectory(`${directory}/c/below`))
      expect(await run(port.list(directory))).toEqual(['.hidden', 'B', 'a-10', 'a-9', 'b', 'c'])
      expect(await run(port.list(`${directory}/c/below`))).toEqual([])
      await failsWith('ENOENT', () => run(port.list(`${directory}/absent`)))
      await failsWith('ENOTDIR', () => run(port.list(`${directory}/b`)))
    }),
  )

  test(
    'syncDirectory resolves, and says where there is none',
    inDisk(async (world) => {
      const { port, directory, run } = world
      await write(world, 'a', '')
      await run(Promise.all([port.syncDirectory(directory), port.syncDirectory(directory)]))
      await failsWith('ENOENT', () => run(port.syncDirectory(`${directory}/absent`)))
    }),
  )
}

function facts(inDisk: InDisk): void {
  test(
    'stat tells kind and size, or undefined where there is nothing',
    inDisk(async (world) => {
      const { port, directory, run } = world
      await write(world, 'a', 'text')
      await run(port.makeDirectory(`${directory}/d`))
      const stat = await run(port.stat(`${directory}/a`))
      expect(stat).toMatchObject({ kind: 'file', size: 4 })
      expect(Number.isSafeInteger(stat?.modifiedMs)).toBe(true)
      expect(stat?.modifiedMs).toBeGreaterThan(Date.UTC(2020))
      expect(await run(port.stat(`${directory}/d`))).toMatchObject({ kind: 'directory' })
      expect(await run(port.stat(`${directory}/absent`))).toBeUndefined()
      expect(await run(port.stat(`${directory}/absent/below`))).toBeUndefined()
    }),
  )

  test(
    'free bytes are a part of all bytes',
    inDisk(async ({ port, directory, run }) => {
      const total = await run(port.totalBytes(directory))
      const free = await run(port.freeBytes(directory))
      for (const bytes of [total, free]) expect(Number.isSafeInteger(bytes)).toBe(true)
      expect(total).toBeGreaterThan(0)
      expect(free).toBeGreaterThanOrEqual(0)
      expect(free).toBeLessThanOrEqual(total)
      await failsWith('ENOENT', () => run(port.freeBytes(`${directory}/absent`)))
    }),
  )
}

function locks(inDisk: InDisk): void {
  test(
    'a lock is given once, and again when it was released',
    inDisk(async (world) => {
      const { port, directory, run } = world
      const first = await take(world, directory)
      const second = await run(port.lock(directory))
      expect(second).toEqual({ heldBy: expect.any(Number) })
      await run(first.release())
      const third = await take(world, directory)
      await run(third.release())
      await run(third.release())
      expect(await run(port.list(directory))).toEqual([])
    }),
  )

  test(
    'only one of many who ask at once gets the lock',
    inDisk(async ({ port, directory, run }) => {
      const answers = await run(Promise.all(Array.from({ length: 6 }, () => port.lock(directory))))
      const locks = answers.flatMap((answer) => ('lock' in answer ? [answer.lock] : []))
      expect(locks).toHaveLength(1)
      for (const lock of locks) await run(lock.release())
    }),
  )

  test(
    'each directory has a lock of its own, and a file beside it is left alone',
    inDisk(async (world) => {
      const { port, directory, run } = world
      for (const name of ['d', 'e']) await run(port.makeDirectory(`${directory}/${name}`))
      const file = await create(world, 'd/a')
      const locks = [await take(world, `${directory}/d`), await take(world, `${directory}/e`)]
      expect(await run(port.lock(`${directory}/d`))).toHaveProperty('heldBy')
      for (const lock of locks) await run(lock.release())
      await run(file.close())
      expect(await run(port.list(`${directory}/d`))).toEqual(['a'])
      await failsWith('ENOENT', () => run(port.lock(`${directory}/absent`)))
    }),
  )
}

async function take({ port, run }: DiskWorld, directory: string) {
  const answer = await run(port.lock(directory))
  if (!('lock' in answer)) throw new Error(`the lock is held by ${answer.heldBy}`)
  return answer.lock
}
