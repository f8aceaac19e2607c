// Files: opened, appended to, read, synced, cut, closed.
import { expect, test } from 'vitest'
import type { DiskError, File } from '../env.ts'
import type { DiskWorld, InDisk } from './disk.ts'

export function fileSuite(inDisk: InDisk): void {
  opening(inDisk)
  appending(inDisk)
  reading(inDisk)
  cutting(inDisk)
  lending(inDisk)
}

function opening(inDisk: InDisk): void {
  test(
    "open('create') makes an empty file and refuses one that exists",
    inDisk(async (world) => {
      const file = await create(world, 'a')
      expect(await world.run(file.size())).toBe(0)
      await world.run(file.close())
      await failsWith('EEXIST', () => create(world, 'a'))
    }),
  )

  test(
    "open('write') and open('read') refuse what does not exist",
    inDisk(async (world) => {
      await failsWith('ENOENT', () => open(world, 'absent', 'write'))
      await failsWith('ENOENT', () => open(world, 'absent', 'read'))
      await failsWith('ENOENT', () => open(world, 'absent/below', 'create'))
    }),
  )

  test(
    'a directory is not opened as a file',
    inDisk(async (world) => {
      await world.run(world.port.makeDirectory(`${world.directory}/d`))
      await failsWith('EISDIR', () => open(world, 'd', 'read'))
      await failsWith('EISDIR', () => open(world, 'd', 'write'))
    }),
  )

  test(
    'an error names its path and its code',
    inDisk(async (world) => {
      const error = await failsWith('ENOENT', () => open(world, 'absent', 'read'))
      expect(error.name).toBe('DiskError')
      expect(error.path).toBe(`${world.directory}/absent`)
      expect(error.message).toContain('ENOENT')
    }),
  )

  test(
    'a file that is open for reading refuses writes',
    inDisk(async (world) => {
      await write(world, 'a', 'text')
      const file = await open(world, 'a', 'read')
      await failsWith('EBADF', async () => {
        await world.run(settled(file.append([Buffer.from('x')], 0)))
      })
      await world.run(file.close())
      expect(await text(world, 'a')).toBe('text')
    }),
  )

  test(
    'a closed file refuses everything',
    inDisk(async (world) => {
      const file = await create(world, 'a')
      await world.run(file.close())
      await failsWith('EBADF', () => world.run(file.read(Buffer.alloc(1), 0)))
      await failsWith('EBADF', () => world.run(file.sync()))
      await failsWith('EBADF', () => world.run(file.size()))
      await failsWith('EBADF', () => world.run(file.truncate(0)))
      await failsWith('EBADF', async () => {
        await world.run(settled(file.append([Buffer.from('x')], 0)))
      })
    }),
  )
}

function appending(inDisk: InDisk): void {
  test(
    'append writes its buffers one behind the other',
    inDisk(async (world) => {
      const file = await create(world, 'a')
      await append(world, file, ['one ', '', 'two ', 'three'], 0)
      await append(world, file, [' four'], 13)
      expect(await world.run(file.size())).toBe(18)
      await world.run(file.close())
      expect(await text(world, 'a')).toBe('one two three four')
    }),
  )

  test(
    'append writes at its position, over what stands there, and leaves a gap of zeros',
    inDisk(async (world) => {
      const file = await create(world, 'a')
      await append(world, file, ['abcdef'], 0)
      await append(world, file, ['X', 'Y'], 2)
      await append(world, file, ['z'], 8)
      await world.run(file.close())
      expect(await text(world, 'a')).toBe('abXYef\0\0z')
    }),
  )

  test(
    'append of nothing changes nothing',
    inDisk(async (world) => {
      const file = await create(world, 'a')
      await append(world, file, [], 5)
      await append(world, file, [''], 5)
      expect(await world.run(file.size())).toBe(0)
      await world.run(file.close())
    }),
  )

  test(
    'append takes thousands of buffers and many MiB at once, in the call or later',
    inDisk(async (world) => {
      const buffers = Array.from({ length: 3000 }, (_, index) => pattern(1000 + (index % 7), index))
      const big = pattern(6 * 2 ** 20, 5)
      for (const where of ['call', 'pool'] as const) {
        const file = await create(world, where)
        const size = buffers.reduce((sum, { length }) => sum + length, 0)
        await world.run(settled(file.append(buffers, 0, where)))
        await world.run(settled(file.append([big], size, where)))
        expect(await world.run(file.size())).toBe(size + big.length)
        await world.run(file.close())
        const content = await world.run(world.port.readFile(`${world.directory}/${where}`))
        expect(content?.equals(Buffer.concat([...buffers, big]))).toBe(true)
      }
    }),
  )

  test(
    'sync resolves, with and without something to sync, many at once',
    inDisk(async (world) => {
      const files = await Promise.all(['a', 'b', 'c'].map((name) => create(world, name)))
      for (const file of files) await append(world, file, ['text'], 0)
      await world.run(Promise.all([...files, ...files, ...files].map((file) => file.sync())))
      await world.run(Promise.all(files.map((file) => file.close())))
    }),
  )
}

function reading(inDisk: InDisk): void {
  test(
    'read fills the buffer from its position',
    inDisk(async (world) => {
      await write(world, 'a', '0123456789')
      const file = await open(world, 'a', 'read')
      const into = Buffer.alloc(4)
      expect(await world.run(file.read(into, 3))).toBe(4)
      expect(into.toString()).toBe('3456')
      await world.run(file.close())
    }),
  )

  test(
    'read gives fewer bytes only at the end of the file, and none behind it',
    inDisk(async (world) => {
      await write(world, 'a', '0123456789')
      const file = await open(world, 'a', 'read')
      const into = Buffer.alloc(8)
      expect(await world.run(file.read(into, 6))).toBe(4)
      expect(into.subarray(0, 4).toString()).toBe('6789')
      expect(await world.run(file.read(into, 10))).toBe(0)
      expect(await world.run(file.read(into, 1000))).toBe(0)
      expect(await world.run(file.read(Buffer.alloc(0), 0))).toBe(0)
      await world.run(file.close())
    }),
  )

  test(
    'read fills a view and nothing around it',
    inDisk(async (world) => {
      await write(world, 'a', '0123456789')
      const file = await open(world, 'a', 'read')
      const memory = new Uint8Array(10).fill(0x2e)
      expect(await world.run(file.read(memory.subarray(2, 5), 1))).toBe(3)
      expect(Buffer.from(memory).toString()).toBe('..123.....')
      await world.run(file.close())
    }),
  )

  test(
    'reads of many MiB come whole, and two at once do not mix',
    inDisk(async (world) => {
      const content = pattern(5 * 2 ** 20, 1)
      const file = await create(world, 'a')
      await world.run(settled(file.append([content], 0)))
      const into = [Buffer.alloc(content.length), Buffer.alloc(2 ** 20)] as const
      const sizes = Promise.all([file.read(into[0], 0), file.read(into[1], 2 ** 20)])
      expect(await world.run(sizes)).toEqual([content.length, 2 ** 20])
      expect(into[0].equals(content)).toBe(true)
      expect(into[1].equals(content.subarray(2 ** 20, 2 ** 21))).toBe(true)
      await world.run(file.close())
    }),
  )

  test(
    'a read sees what was appended before it through another handle',
    inDisk(async (world) => {
      const writer = await create(world, 'a')
      const reader = await open(world, 'a', 'read')
      await append(world, writer, ['first'], 0)
      const into = Buffer.alloc(5)
      expect(await world.run(reader.read(into, 0))).toBe(5)
      expect(into.toString()).toBe('first')
      await world.run(Promise.all([writer.close(), reader.close()]))
    }),
  )
}

function cutting(inDisk: InDisk): void {
  test(
    'truncate cuts a file, and lengthens it by zeros',
    inDisk(async (world) => {
      const file = await create(world, 'a')
      await append(world, file, ['0123456789'], 0)
      await world.run(file.truncate(4))
      expect(await world.run(file.size())).toBe(4)
      await world.run(file.truncate(6))
      await world.run(file.close())
      expect(await text(world, 'a')).toBe('0123\0\0')
    }),
  )

  test(
    'a file that was removed or renamed stays usable where it is open',
    inDisk(async (world) => {
      const file = await create(world, 'a')
      await append(world, file, ['old'], 0)
      await world.run(world.port.rename(`${world.directory}/a`, `${world.directory}/b`))
      await append(world, file, ['new'], 3)
      expect(await text(world, 'b')).toBe('oldnew')
      await world.run(world.port.removeFile(`${world.directory}/b`))
      const into = Buffer.alloc(6)
      expect(await world.run(file.read(into, 0))).toBe(6)
      await world.run(file.close())
    }),
  )
}

/** A twin delivers late and compares: here the loan is kept, so nothing may complain. */
function lending(inDisk: InDisk): void {
  test(
    'a buffer that append gave back may be used again',
    inDisk(async (world) => {
      const file = await create(world, 'a')
      const buffer = Buffer.alloc(4)
      for (let index = 0; index < 20; index++) {
        buffer.fill(65 + index)
        await world.run(settled(file.append([buffer], index * 4)))
      }
      await world.run(file.close())
      const letters = Array.from({ length: 20 }, (_, index) => String.fromCharCode(65 + index))
      expect(await text(world, 'a')).toBe(letters.map((letter) => letter.repeat(4)).join(''))
    }),
  )

  test(
    'a buffer that read gave back is not written to any more',
    inDisk(async (world) => {
      await write(world, 'a', 'content')
      const file = await open(world, 'a', 'read')
      const into = Buffer.alloc(7)
      await world.run(file.read(into, 0))
      into.fill(0)
      await world.run(file.size())
      await world.run(file.close())
      expect(into.every((byte) => byte === 0)).toBe(true)
    }),
  )
}

// --- how the suites speak ------------------------------------------------------------------------

export function create(world: DiskWorld, name: string): Promise<File> {
  return open(world, name, 'create')
}

export function open(
  world: DiskWorld,
  name: string,
  mode: 'create' | 'write' | 'read',
): Promise<File> {
  return world.run(world.port.open(`${world.directory}/${name}`, mode))
}

export async function write(world: DiskWorld, name: string, content: string): Promise<void> {
  const file = await create(world, name)
  await append(world, file, [content], 0)
  await world.run(file.close())
}

export async function text(world: DiskWorld, name: string): Promise<string | undefined> {
  return (await world.run(world.port.readFile(`${world.directory}/${name}`)))?.toString('latin1')
}

/** Fails unless `work` throws or rejects with this code. */
export async function failsWith(code: string, work: () => Promise<unknown>): Promise<DiskError> {
  const outcome = await work().then(
    () => 'success',
    (error: unknown) => error,
  )
  expect(outcome).toMatchObject({ name: 'DiskError', code })
  return outcome as DiskError
}

async function append(
  world: DiskWorld,
  file: File,
  texts: string[],
  position: number,
): Promise<void> {
  const buffers = texts.map((part) => Buffer.from(part))
  await world.run(settled(file.append(buffers, position)))
}

async function settled(written: undefined | Promise<void>): Promise<void> {
  await written
}

function pattern(size: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(size)
  for (let index = 0; index < size; index++)
    bytes[index] = (index * 31 + (index >> 8) * 7 + seed) & 0xff
  return bytes
}
