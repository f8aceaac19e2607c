import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { lockDirectory } from './lock.ts'

/** Rounds of the races. */
const ROUNDS = 20

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'minikafka-lock-'))
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

async function locked(path: string) {
  const answer = await lockDirectory(path)
  if (!('lock' in answer)) throw new Error(`held by ${answer.heldBy}`)
  return answer.lock
}

describe('in one process', () => {
  test('the second to come is told who has it; a released lock is free', async () => {
    const first = await locked(directory)
    expect(readdirSync(directory)).toEqual(['.lock'])
    expect(await lockDirectory(directory)).toEqual({ heldBy: process.pid })
    expect(readdirSync(directory)).toEqual(['.lock'])
    await first.release()
    expect(readdirSync(directory)).toEqual([])
    await (await locked(directory)).release()
  })

  test("releasing twice frees nobody else's lock", async () => {
    const first = await locked(directory)
    await first.release()
    const second = await locked(directory)
    await first.release()
    expect(await lockDirectory(directory)).toEqual({ heldBy: process.pid })
    await second.release()
  })

  test('a path that is too long for a socket is no trouble', async () => {
    const deep = join(directory, 'd'.repeat(100), 'e'.repeat(100))
    mkdirSync(deep, { recursive: true })
    const lock = await locked(deep)
    expect(await lockDirectory(deep)).toEqual({ heldBy: process.pid })
    await lock.release()
  })

  test('what is called .lock and is no socket is left alone', async () => {
    writeFileSync(join(directory, '.lock'), 'of another program')
    await expect(lockDirectory(directory)).rejects.toMatchObject({
      name: 'DiskError',
      code: 'ENOTSOCK',
    })
    expect(readdirSync(directory)).toEqual(['.lock'])
  })

  test('of many that race for a stale lock exactly one wins', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      await leaveStale('.lock')
      const answers = await Promise.all(Array.from({ length: 4 }, () => lockDirectory(directory)))
      const locks = answers.flatMap((answer) => ('lock' in answer ? [answer.lock] : []))
      expect(locks).toHaveLength(1)
      await locks[0]?.release()
      expect(readdirSync(directory)).toEqual([])
    }
  })
})

describe('a lock that was moved aside by one who took it for stale', () => {
  const ASIDE = 'lock.0123456789abcdef'

  test('is found there, although .lock is free', async () => {
    const lock = await locked(directory)
    renameSync(join(directory, '.lock'), join(directory, ASIDE))
    expect(await lockDirectory(directory)).toEqual({ heldBy: process.pid })
    renameSync(join(directory, ASIDE), join(directory, '.lock'))
    await lock.release()
    expect(readdirSync(directory)).toEqual([])
  })

  test('is no obstacle once its owner is gone, and is cleared away', async () => {
    await leaveStale(ASIDE)
    const lock = await locked(directory)
    expect(readdirSync(directory)).toEqual(['.lock'])
    await lock.release()
  })

  test('is given up by its owner without a trace in .lock', async () => {
    const first = await locked(directory)
    renameSync(join(directory, '.lock'), join(directory, ASIDE))
    await first.release()
    const second = await locked(directory)
    expect(readdirSync(directory)).toEqual(['.lock'])
    await second.release()
  })
})

describe('between processes', () => {
  let children: Child[] = []

  afterEach(async () => {
    await Promise.all(children.map((child) => child.kill()))
    children = []
  })

  async function child(): Promise<Child> {
    const started = await Child.start(directory)
    children.push(started)
    return started
  }

  test('a lock whose holder was killed is taken over', async () => {
    const holder = await child()
    expect(await holder.lock()).toBe('lock')
    expect(await lockDirectory(directory)).toEqual({ heldBy: holder.pid })
    await holder.kill()
    expect(existsSync(join(directory, '.lock'))).toBe(true)
    await (await locked(directory)).release()
    expect(readdirSync(directory)).toEqual([])
  })

  test('a holder that is stopped still holds it', async () => {
    const holder = await child()
    expect(await holder.lock()).toBe('lock')
    holder.signal('SIGSTOP')
    expect(await lockDirectory(directory)).toEqual({ heldBy: undefined })
    holder.signal('SIGCONT')
    await holder.release()
    await (await locked(directory)).release()
  })

  test('of several that race for a stale lock never two win, and one does', async () => {
    const racers = await Promise.all([child(), child(), child()])
    for (let round = 0; round < ROUNDS; round++) {
      await leaveStale('.lock')
      const answers = await Promise.all(racers.map((racer) => racer.lock()))
      expect(answers.filter((answer) => answer === 'lock')).toHaveLength(1)
      await Promise.all(racers.map((racer) => racer.release()))
      expect(readdirSync(directory)).toEqual([])
    }
  })

  test('the lock does not keep a process alive', async () => {
    const holder = await child()
    await holder.lock()
    expect(await holder.disconnect()).toBe(0)
  })
})

/** A process that takes and releases the lock when it is told to. */
class Child {
  readonly #process: ChildProcess

  private constructor(process: ChildProcess) {
    this.#process = process
  }

  static async start(directory: string): Promise<Child> {
    const script = `
      import { lockDirectory } from ${JSON.stringify(join(import.meta.dirname, 'lock.ts'))}
      let lock
      process.on('message', async (command) => {
        if (command === 'release') {
          await lock?.release()
          lock = undefined
          return process.send('released')
        }
        const answer = await lockDirectory(${JSON.stringify(directory)})
        lock = answer.lock
        process.send(lock ? 'lock' : 'held by ' + answer.heldBy)
      })
      process.send('ready')`
    const flags = ['--import', 'tsx', '--input-type=module', '-e', script]
    const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const
    const child = new Child(spawn(process.execPath, flags, { stdio: [...stdio] }))
    await child.#heard()
    return child
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  lock(): Promise<unknown> {
    return this.#ask('lock')
  }

  release(): Promise<unknown> {
    return this.#ask('release')
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    this.#process.kill('SIGKILL')
    await once(this.#process, 'exit')
  }

  /** Nothing is left to listen to: resolves with the exit code. */
  async disconnect(): Promise<unknown> {
    this.#process.disconnect()
    return (await once(this.#process, 'exit'))[0]
  }

  #ask(command: string): Promise<unknown> {
    const answer = this.#heard()
    this.#process.send(command)
    return answer
  }

  #heard(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const exited = (code: number | null) => reject(new Error(`the process ended with ${code}`))
      this.#process.once('exit', exited)
      this.#process.once('message', (message) => {
        this.#process.off('exit', exited)
        resolve(message)
      })
    })
  }
}

/** A socket file that nobody listens on any more, as a killed process leaves it. */
async function leaveStale(name: string): Promise<void> {
  const server = createServer()
  const bound = join(directory, 'dead')
  await new Promise<void>((resolve) => server.listen(bound, resolve))
  linkSync(bound, join(directory, name))
  await new Promise((resolve) => server.close(resolve))
  rmSync(bound, { force: true })
}
