// The process itself: arguments, variables, streams, signals, exit.
import { homedir, tmpdir } from 'node:os'
import type { Input, Output, Program } from '../env.ts'

export function nodeProgram(): Program {
  return {
    arguments: process.argv.slice(2),
    variables: process.env,
    pid: process.pid,
    platform: process.platform,
    nodeVersion: process.versions.node,
    home: homedir(),
    temporaryDirectory: tmpdir(),
    workingDirectory: process.cwd(),
    // The streams are made when first used: making them costs milliseconds.
    get stdin() {
      return input()
    },
    get stdout() {
      return output(process.stdout)
    },
    get stderr() {
      return output(process.stderr)
    },
    uptimeMs: () => process.uptime() * 1000,
    memory: () => {
      const { rss, heapUsed, external } = process.memoryUsage()
      return { rssBytes: rss, heapUsedBytes: heapUsed, externalBytes: external }
    },
    onSignal: (signal, listener) => {
      process.on(signal, listener)
      return () => process.off(signal, listener)
    },
    onFatal: (listener) => {
      process.on('uncaughtException', listener)
      process.on('unhandledRejection', listener)
      return () => {
        process.off('uncaughtException', listener)
        process.off('unhandledRejection', listener)
      }
    },
    exit: (code) => exitWhenFlushed(code),
  }
}

function input(): Input {
  return {
    isTTY: process.stdin.isTTY === true,
    chunks: () => process.stdin as AsyncIterable<Buffer>,
  }
}

function output(stream: NodeJS.WriteStream): Output {
  return {
    isTTY: stream.isTTY === true,
    columns: stream.columns ?? 80,
    stream,
    write: (text) =>
      new Promise((resolve, reject) => {
        // Without a listener an EPIPE would end the process before the callback can say so.
        if (stream.listenerCount('error') === 0) stream.on('error', () => {})
        stream.write(text, (error) => (error ? reject(error) : resolve()))
      }),
  }
}

/** An empty write calls back when all before it has left; a pipe that nobody reads is not waited for. */
function exitWhenFlushed(code: number): void {
  process.exitCode = code
  let open = 0
  const done = () => {
    if (--open === 0) process.exit(code)
  }
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.destroyed || stream.writableLength === 0) continue
    open++
    stream.write('', done)
  }
  if (open === 0) process.exit(code)
  setTimeout(() => process.exit(code), FLUSH_WITHIN_MS).unref()
}

const FLUSH_WITHIN_MS = 2_000
