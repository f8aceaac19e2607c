// What only this implementation promises. The suite that it shares with its twin runs in ports.test.ts.
import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NodeDisk } from './disk.ts'
import { SyncQueue } from './sync-queue.ts'

const disk = new NodeDisk(new SyncQueue(3))
let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'minikafka-disk-'))
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

const here = (name: string) => join(directory, name)

describe('nobody else reads what we write', () => {
  test('files are 0600 and directories 0700', async () => {
    const file = await disk.open(here('file'), 'create')
    await file.close()
    await disk.replaceFile(here('replaced'), Buffer.from('x'))
    await disk.makeDirectory(here('above/below'))
    const modes = ['file', 'replaced', 'above', 'above/below'].map(
      (name) => statSync(here(name)).mode & 0o777,
    )
    expect(modes).toEqual([0o600, 0o600, 0o700, 0o700])
  })

  test.runIf(process.platform === 'linux')(
    'a file system that makes no directories says so instead of never answering',
    async () => {
      await expect(disk.makeDirectory('/proc/minikafka/below')).rejects.toThrow('/proc/minikafka')
    },
  )
})

describe('what stands in the place of a file of ours is refused', () => {
  test('a symlink, for reading, for writing, for a replacement and as a whole', async () => {
    writeFileSync(here('target'), 'theirs')
    symlinkSync('target', here('link'))
    await expect(disk.open(here('link'), 'read')).rejects.toMatchObject({ code: 'ELOOP' })
    await expect(disk.open(here('link'), 'write')).rejects.toMatchObject({ code: 'ELOOP' })
    await expect(disk.open(here('link'), 'create')).rejects.toMatchObject({ code: 'EEXIST' })
    await expect(disk.readFile(here('link'))).rejects.toMatchObject({ code: 'ELOOP' })
    expect(await disk.stat(here('link'))).toMatchObject({ kind: 'other' })
    symlinkSync('target', here('file.tmp'))
    const replaced = disk.replaceFile(here('file'), Buffer.from('ours'))
    await expect(replaced).rejects.toMatchObject({ name: 'DiskError', code: 'ELOOP' })
    expect(readFileSync(here('target'), 'utf8')).toBe('theirs')
  })

  test('unless who reads it says that it may be one', async () => {
    writeFileSync(here('target'), 'configuration')
    symlinkSync('target', here('link'))
    const content = await disk.readFile(here('link'), { links: 'follow' })
    expect(content?.toString()).toBe('configuration')
    symlinkSync('absent', here('dangling'))
    expect(await disk.readFile(here('dangling'), { links: 'follow' })).toBeUndefined()
  })

  test.runIf(process.platform !== 'win32')(
    'a pipe, without waiting for its other end',
    async () => {
      execFileSync('mkfifo', [here('pipe')])
      await expect(disk.open(here('pipe'), 'read')).rejects.toMatchObject({ code: 'ENXIO' })
      await expect(disk.readFile(here('pipe'))).rejects.toMatchObject({ code: 'ENXIO' })
      expect(await disk.stat(here('pipe'))).toMatchObject({ kind: 'other' })
    },
  )

  test('a link to a directory is not removed as one', async () => {
    mkdirSync(here('d'))
    writeFileSync(here('d/file'), 'theirs')
    symlinkSync('d', here('link'))
    await expect(disk.removeDirectory(here('link'))).rejects.toMatchObject({ code: 'ENOTDIR' })
    expect(readFileSync(here('d/file'), 'utf8')).toBe('theirs')
  })
})

test('append finishes in the call, unless the pool is asked for', async () => {
  const file = await disk.open(here('file'), 'create')
  expect(file.append([Buffer.from('in the call')], 0)).toBeUndefined()
  expect(readFileSync(here('file'), 'utf8')).toBe('in the call')
  const writing = file.append([Buffer.from(', in'), Buffer.from(' the pool')], 11, 'pool')
  expect(writing).toBeInstanceOf(Promise)
  await writing
  expect(readFileSync(here('file'), 'utf8')).toBe('in the call, in the pool')
  await file.close()
})

test('close waits for reads, writes and syncs that are under way', async () => {
  const file = await disk.open(here('file'), 'create')
  const into = Buffer.alloc(4)
  await file.append([Buffer.from('text')], 0)
  const work = [file.append([Buffer.alloc(2 ** 22, 1)], 4, 'pool'), file.sync(), file.sync()]
  const reading = file.read(into, 0)
  const closing = file.close()
  await closing
  await Promise.all(work)
  expect(await reading).toBe(4)
  expect(into.toString()).toBe('text')
  expect(statSync(here('file')).size).toBe(2 ** 22 + 4)
})

test('two who replace one file at once both succeed, and the later one stays', async () => {
  const contents = Array.from({ length: 10 }, (_, index) =>
    Buffer.alloc(10_000 * (10 - index), 48 + index),
  )
  await Promise.all(contents.map((content) => disk.replaceFile(here('file'), content)))
  expect(readFileSync(here('file')).equals(contents.at(-1) as Buffer)).toBe(true)
  expect(await disk.list(directory)).toEqual(['file'])
})

test('a replacement that fails does not stop the next one, and leaves no temporary file', async () => {
  mkdirSync(here('file'))
  const failing = disk.replaceFile(here('file'), Buffer.from('x'))
  const other = disk.replaceFile(here('file'), Buffer.from('y'))
  await expect(failing).rejects.toMatchObject({ code: 'EISDIR' })
  await expect(other).rejects.toMatchObject({ code: 'EISDIR' })
  expect(await disk.list(directory)).toEqual(['file'])
  rmSync(here('file'), { recursive: true })
  await disk.replaceFile(here('file'), Buffer.from('z'))
  expect(readFileSync(here('file'), 'utf8')).toBe('z')
})

test('a replacement without room for its content leaves the old file in place, and says ENOSPC', async () => {
  const full = new (class extends SyncQueue {
    override run(): Promise<void> {
      return Promise.reject(Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' }))
    }
  })(1)
  writeFileSync(here('file'), 'old')
  const replaced = new NodeDisk(full).replaceFile(here('file'), Buffer.from('new'))
  await expect(replaced).rejects.toMatchObject({ name: 'DiskError', code: 'ENOSPC' })
  expect(readFileSync(here('file'), 'utf8')).toBe('old')
  expect(await disk.list(directory)).toEqual(['file'])
})

test.runIf(process.platform === 'linux')(
  'a full disk is ENOSPC, in the call and from the pool',
  async () => {
    // The device is always full; it is no regular file, so `open` does not take it.
    const { openSync } = await import('node:fs')
    const { NodeFile } = await import('./disk-file.ts')
    const file = new NodeFile('/dev/full', openSync('/dev/full', 'w'), new SyncQueue(1))
    const bytes = [Buffer.from('some'), Buffer.from('bytes')]
    expect(() => file.append(bytes, 0)).toThrow(
      expect.objectContaining({ name: 'DiskError', code: 'ENOSPC' }),
    )
    await expect(file.append(bytes, 0, 'pool')).rejects.toMatchObject({
      code: 'ENOSPC',
      path: '/dev/full',
    })
    await file.close()
  },
)
