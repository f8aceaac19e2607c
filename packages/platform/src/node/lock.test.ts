import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockDirectory } from './lock.ts'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'minikafka-lock-'))
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

async function locked(path: string) {
  const taken = await lockDirectory(path)
  if (!('lock' in taken)) throw new Error(`held by ${taken.heldBy}`)
  return taken.lock
}

test('the second to come is told who has it; a released lock is free', async () => {
  const first = await locked(directory)
  expect(await lockDirectory(directory)).toEqual({ heldBy: process.pid })
  await first.release()
  expect(readdirSync(directory)).toEqual([])
  await (await locked(directory)).release()
})

test('releasing twice frees nobody else’s lock', async () => {
  const first = await locked(directory)
  await first.release()
  const second = await locked(directory)
  await first.release()
  expect(await lockDirectory(directory)).toEqual({ heldBy: process.pid })
  await second.release()
})

test('a lock whose holder was killed is taken over', async () => {
  const script = `
    const { lockDirectory } = await import(${JSON.stringify(join(import.meta.dirname, 'lock.ts'))})
    await lockDirectory(${JSON.stringify(directory)})
    console.log('locked')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  expect(await lockDirectory(directory)).toEqual({ heldBy: child.pid })
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
  expect(existsSync(join(directory, '.lock'))).toBe(true)
  await (await locked(directory)).release()
})

test('a path that is too long for a socket is no trouble', async () => {
  const deep = join(directory, 'd'.repeat(100), 'e'.repeat(100))
  mkdirSync(deep, { recursive: true })
  const lock = await locked(deep)
  expect(await lockDirectory(deep)).toEqual({ heldBy: process.pid })
  await lock.release()
})

test('of many that race for a stale lock exactly one wins', async () => {
  for (let round = 0; round < 20; round++) {
    await leaveStaleLock()
    const taken = await Promise.all(Array.from({ length: 4 }, () => lockDirectory(directory)))
    const locks = taken.flatMap((one) => ('lock' in one ? [one.lock] : []))
    expect(locks).toHaveLength(1)
    await locks[0]?.release()
  }
})

/** A socket file that nobody listens on any more, as a killed process leaves it. */
async function leaveStaleLock(): Promise<void> {
  const { linkSync, unlinkSync } = await import('node:fs')
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(join(directory, 'dead'), resolve))
  linkSync(join(directory, 'dead'), join(directory, '.lock'))
  await new Promise((resolve) => server.close(resolve))
  if (existsSync(join(directory, 'dead'))) unlinkSync(join(directory, 'dead'))
}
