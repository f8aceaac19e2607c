import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { nodeProgram } from './program.ts'

const PROGRAM = JSON.stringify(new URL('program.ts', import.meta.url).href)

function start(body: string): ChildProcess {
  const script = `const { nodeProgram } = await import(${PROGRAM}); const program = nodeProgram(); ${body}`
  const flags = ['--import', 'tsx', '--input-type=module', '-e', script]
  // What tsx writes to its cache, nobody waits for: its files would count among those that are open.
  const env = { ...process.env, TSX_DISABLE_CACHE: '1' }
  const child = spawn(process.execPath, flags, { env, stdio: ['pipe', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

async function run(body: string, options: { readOutput?: boolean; input?: string } = {}) {
  const child = start(body)
  let stdout = ''
  let stderr = ''
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  if (options.readOutput === false) child.stdout?.destroy()
  else {
    child.stdout?.on('data', (chunk) => {
      stdout += chunk
    })
  }
  child.stdin?.end(options.input ?? '')
  const [code, signal] = await once(child, 'close')
  return { code, signal, stdout, stderr }
}

test('the surroundings are those of this process', () => {
  const program = nodeProgram()
  expect(program.pid).toBe(process.pid)
  expect(program.platform).toBe(process.platform)
  expect(program.variables.PATH).toBe(process.env.PATH)
  expect(program.workingDirectory).toBe(process.cwd())
  expect(program.home.length).toBeGreaterThan(0)
  expect(program.uptimeMs()).toBeGreaterThan(0)
  expect(program.cpuMs()).toBeGreaterThan(0)
  expect(program.memory().rssBytes).toBeGreaterThan(program.memory().heapUsedBytes)
})

// In a process of its own: what else the test runner opens and closes meanwhile would count as well.
test.runIf(process.platform === 'linux')('the file descriptors in use are counted', async () => {
  const { stdout } = await run(`
    const { open } = await import('node:fs/promises')
    const before = await program.openFiles()
    const files = []
    for (let i = 0; i < 20; i++) files.push(await open(process.execPath))
    const after = await program.openFiles()
    for (const file of files) await file.close()
    await program.stdout.write(JSON.stringify([after.open - before.open, after.max > after.open]))`)
  expect(JSON.parse(stdout)).toEqual([20, true])
})

test('exit() writes out what waits, however much, and gives its first code', async () => {
  const { code, stdout } = await run(`
    void program.stdout.write('x'.repeat(500_000))
    program.exit(7)
    program.exit(8)`)
  expect(code).toBe(7)
  expect(stdout).toHaveLength(500_000)
})

test('a write to a reader that is gone rejects with EPIPE, and the process lives', async () => {
  const { code, stderr } = await run(
    `
    for (;;) {
      try {
        await program.stdout.write('line\\n')
        await new Promise((resolve) => setTimeout(resolve, 1))
      } catch (error) {
        await program.stderr.write(error.code)
        break
      }
    }`,
    { readOutput: false },
  )
  expect(code).toBe(0)
  expect(stderr).toBe('EPIPE')
})

test('stdin comes in chunks, to its end', async () => {
  const { stdout } = await run(
    `
    let size = 0
    for await (const chunk of program.stdin.chunks()) size += chunk.length
    await program.stdout.write(String(size))`,
    { input: 'y'.repeat(200_000) },
  )
  expect(stdout).toBe('200000')
})

test.each([
  ['an uncaught error', `setTimeout(() => { throw new Error('boom') })`],
  ['an unhandled rejection', `void Promise.reject(new Error('boom'))`],
])('%s is heard, and ends the process', async (_, fault) => {
  const { code, stdout } = await run(`
    program.onFatal((error) => void program.stdout.write('last words: ' + error.message))
    ${fault}
    setInterval(() => {}, 1000)`)
  expect(stdout).toBe('last words: boom')
  expect(code).toBe(1)
})

test('the last words may choose the exit code', async () => {
  const { code } = await run(`
    program.onFatal(() => program.exit(70))
    throw new Error('boom')`)
  expect(code).toBe(70)
})

test('a signal is heard as long as somebody listens, then it ends the process', async () => {
  const child = start(`
    const stop = program.onSignal('SIGTERM', () => {
      stop()
      void program.stdout.write('heard')
    })
    await program.stdout.write('ready')
    setInterval(() => {}, 1000)`)
  await once(child.stdout as NodeJS.ReadableStream, 'data')
  child.kill('SIGTERM')
  const [heard] = await once(child.stdout as NodeJS.ReadableStream, 'data')
  expect(String(heard)).toBe('heard')
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([null, 'SIGTERM'])
})
