// Processes of the benchmarks: started, waited for, measured, stopped.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const root = join(import.meta.dirname, '..', '..')

export type Running = {
  readonly pid: number
  readonly port: number
  /** From the start of the process until it said that it is ready. */
  readonly readyMs: number
  rssMiB(): number
  /** Highest resident size since the start. */
  rssPeakMiB(): number
  fileHandles(): number
  stop(): Promise<void>
}

/** A broker of its own on a new directory below `folder` (a real disk, not a RAM disk). */
export async function startBroker(
  folder: string,
  flags: readonly string[] = [],
  data?: string,
): Promise<Running> {
  const own = data ?? mkdtempSync(join(folder, 'bench-broker-'))
  const program = join(root, 'packages/broker/dist/bin.cjs')
  const began = performance.now()
  const child = spawn(
    process.execPath,
    [
      program,
      '--data-dir',
      own,
      '--port',
      '0',
      '--log-format',
      'json',
      '--log-level',
      'info',
      ...flags,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const port = await portFrom(child, (line) => {
    const entry = JSON.parse(line) as { msg?: string; port?: number }
    return entry.msg === 'ready' ? entry.port : undefined
  })
  return running(child, port, performance.now() - began, data === undefined ? own : undefined)
}

/** A script of this folder in a process of its own that prints its port as the first line. */
export async function startScript(name: string, args: readonly string[]): Promise<Running> {
  const began = performance.now()
  const child = spawn(process.execPath, [join(import.meta.dirname, name), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const port = await portFrom(child, (line) => Number(line) || undefined)
  return running(child, port, performance.now() - began, undefined)
}

function running(
  child: ChildProcess,
  port: number,
  readyMs: number,
  data: string | undefined,
): Running {
  const status = (key: string) => {
    const match = new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(
      readFileSync(`/proc/${child.pid}/status`, 'utf8'),
    )
    return Number(match?.[1] ?? Number.NaN) / 1024
  }
  return {
    pid: child.pid ?? -1,
    port,
    readyMs,
    rssMiB: () => status('VmRSS'),
    rssPeakMiB: () => status('VmHWM'),
    fileHandles: () => fileHandlesOf(child.pid),
    stop: async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await gone
      if (data !== undefined) rmSync(data, { recursive: true, force: true })
    },
  }
}

function fileHandlesOf(pid: number | undefined): number {
  const { readdirSync } = process.getBuiltinModule('node:fs')
  return readdirSync(`/proc/${pid}/fd`).length
}

async function portFrom(
  child: ChildProcess,
  read: (line: string) => number | undefined,
): Promise<number> {
  if (child.stdout === null) throw new Error('the child has no stdout')
  const lines = createInterface({ input: child.stdout })
  for await (const line of lines) {
    const port = read(line)
    if (port === undefined) continue
    // What it says later is read and dropped: a full pipe would stop it.
    lines.close()
    child.stdout.resume()
    return port
  }
  throw new Error('the child stopped before it was ready')
}
