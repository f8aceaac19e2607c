// The three services together, each a process of its own: orders go in by HTTP, what customers owe comes out, and all end
// in order at SIGTERM.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { TestBroker } from '@minikafka/testing'
import { expect, onTestFinished, test } from 'vitest'

test('an order becomes an invoice, and a stop in order loses none', async () => {
  await using broker = await TestBroker.start({ transport: 'tcp', clock: 'real' })
  const intake = service('intake.ts', broker.address)
  const billing = service('billing.ts', broker.address)
  const board = service('board.ts', broker.address)
  const url = await intake.line(/http:\S+/)

  for (const cents of [1999, 1, 500]) {
    const order = JSON.stringify({ customer: 'c-42', cents })
    const { status } = await fetch(url, { method: 'POST', body: order })
    expect(status).toBe(201)
  }
  const refused = await fetch(url, { method: 'POST', body: '{"cents":"much"}' })
  expect(refused.status).toBe(400)

  expect(await board.line(/c-42 owes 25\.00/)).toBe('c-42 owes 25.00')
  for (const each of [billing, intake, board]) expect(await each.ended()).toBe(0)
})

function service(file: string, brokers: string) {
  const args = [
    '--import',
    'tsx',
    '--conditions=@minikafka/source',
    join(import.meta.dirname, file),
  ]
  const env = { ...process.env, BROKERS: brokers, PORT: '0' }
  const child: ChildProcess = spawn(process.execPath, args, {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[
    Symbol.asyncIterator
  ]()
  return {
    /** The first match in what it prints from now on. */
    async line(pattern: RegExp): Promise<string> {
      for (;;) {
        const { value, done } = await lines.next()
        if (done === true) throw new Error(`${file} ended without ${pattern}`)
        const found = pattern.exec(value)
        if (found !== null) return found[0]
      }
    },
    async ended(): Promise<unknown> {
      child.kill('SIGTERM')
      return (await exited)[0]
    },
  }
}
