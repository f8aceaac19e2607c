// The `program` port: this process, its surroundings, its end.
import { readdir, readFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import type { Input, Output, Program } from '../env.ts'

/** A pipe that nobody reads is not waited for longer. */
const FLUSH_MS_MAX = 2000
/** Of what is no terminal, and of one that does not know. */
const COLUMNS_DEFAULT = 80
const ROWS_DEFAULT = 24
/** As Node itself ends after an uncaught error. */
const EXIT_FATAL = 1

export function nodeProgram(): Program {
  const exit = exitOnce()
  return {
    arguments: process.argv.slice(2),
    variables: process.env,
    pid: process.pid,
    platform: process.platform,
    nodeVersion: process.versions.node,
    get home() {
      return homedir()
    },
    temporaryDirectory: tmpdir(),
    workingDirectory: process.cwd(),
    stdin: inputOf(() => process.stdin),
    stdout: outputOf(() => process.stdout),
    stderr: outputOf(() => process.stderr),
    uptimeMs: () => process.uptime() * 1000,
    cpuMs: () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1000
    },
    memory() {
      const { rss, heapUsed, external } = process.memoryUsage()
      return { rssBytes: rss, heapUsedBytes: heapUsed, externalBytes: external }
    },
    openFiles,
    onSignal(signal, listener) {
      // One for each call, so that the same function may be given twice and taken back once.
      const listening = () => listener()
      process.on(signal, listening)
      return () => process.off(signal, listening)
    },
    onFatal: (listener) => onFatal(listener, exit),
    exit,
  }
}

/** Linux tells it in files; elsewhere it would take a process of its own. */
async function openFiles(): Promise<{ open: number; max: number } | undefined> {
  try {
    // One after the other: the second file, open meanwhile, would be counted or not by chance.
    const names = await readdir('/proc/self/fd')
    const limits = await readFile('/proc/self/limits', 'utf8')
    const soft = /^Max open files +(\d+|unlimited)/m.exec(limits)?.[1]
    if (soft === undefined) return undefined
    const max = soft === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(soft)
    // The directory that is listed is open itself.
    return { open: names.length - 1, max }
  } catch {
    return undefined
  }
}

/** An unhandled rejection arrives here as well: that is how Node ends by it. */
function onFatal(listener: (error: unknown) => void, exit: (code: number) => void): () => void {
  const listening = (error: unknown) => {
    try {
      listener(error)
    } finally {
      // With a listener Node goes on, in a state that nobody knows.
      exit(EXIT_FATAL)
    }
  }
  process.on('uncaughtException', listening)
  return () => process.off('uncaughtException', listening)
}

/** The first code counts: the last words of a fatal error may choose a better one. */
function exitOnce(): (code: number) => void {
  let exiting = false
  return (code) => {
    if (exiting) return
    exiting = true
    process.exitCode = code
    const end = () => process.exit(code)
    setTimeout(end, FLUSH_MS_MAX)
    Promise.all([flushed(process.stdout), flushed(process.stderr)]).then(end, end)
  }
}

function flushed(stream: NodeJS.WriteStream): Promise<void> | undefined {
  if (stream.destroyed || stream.writableLength === 0) return undefined
  // Called back when all before it has left, or never will.
  return new Promise((resolve) => stream.write('', () => resolve()))
}

/** The streams are made when they are first used: that takes milliseconds. */
function inputOf(stream: () => NodeJS.ReadStream): Input {
  return {
    get isTTY() {
      return stream().isTTY === true
    },
    chunks: () => stream() as AsyncIterable<Buffer>,
  }
}

function outputOf(get: () => NodeJS.WriteStream): Output {
  let used: NodeJS.WriteStream | undefined
  const stream = () => {
    // Without a listener a reader that is gone (head, less) would end the process before `write` can say so.
    used ??= get().on('error', () => {})
    return used
  }
  return {
    get isTTY() {
      return stream().isTTY === true
    },
    get columns() {
      return stream().columns || COLUMNS_DEFAULT
    },
    get rows() {
      return stream().rows || ROWS_DEFAULT
    },
    get stream() {
      return stream()
    },
    write: (text) =>
      new Promise((resolve, reject) => {
        stream().write(text, (error) => (error ? reject(error) : resolve()))
      }),
  }
}
