// Where the bytes to produce come from: values of the command line, a file, or stdin. Leaves: chunks.
import { isMinikafkaError } from '@minikafka/client'
import { EXIT, Failure } from '../failures.ts'
import type { Session } from '../session.ts'
import { untilAborted } from '../sleep.ts'
import { UsageError } from '../usage-error.ts'
import type { ProduceOptions } from './produce-options.ts'

const CHUNK_BYTES = 256 * 1024

export type Input = {
  readonly chunks: AsyncIterable<Buffer>
  /** Bytes in all, where that is known. */
  readonly size: number | undefined
  readonly close: () => Promise<void>
}

/** Values of the command line are with their reader already. */
export const NO_INPUT: Input = {
  chunks: (async function* () {})(),
  size: undefined,
  close: async () => {},
}

/** Ends with `signal`, whatever the input waits for. */
export async function openInput(
  session: Session,
  { file }: ProduceOptions,
  signal: AbortSignal,
): Promise<Input> {
  if (file !== undefined) return openFile(session, file, signal)
  const { stdin, stderr } = session.env.program
  if (stdin.isTTY && stderr.isTTY) await session.say('a record per line; Ctrl-D ends')
  return { chunks: untilAborted(stdin.chunks(), signal), size: undefined, close: async () => {} }
}

async function openFile({ env }: Session, path: string, signal: AbortSignal): Promise<Input> {
  const file = await env.disk.open(path, 'read').catch((error: unknown) => {
    throw new UsageError(`--file ${path}: ${reasonOf(error)}`)
  })
  async function* chunks() {
    for (let position = 0; !signal.aborted; ) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
      const size = await file.read(chunk, position).catch((error: unknown) => {
        throw new Failure(`--file ${path}: ${reasonOf(error)}`, EXIT.failed, { cause: error })
      })
      if (size === 0) return
      position += size
      yield chunk.subarray(0, size)
    }
  }
  return { chunks: chunks(), size: await file.size(), close: () => file.close() }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message: string }
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EISDIR') return 'that is a directory'
  return isMinikafkaError(error) ? message : String(message)
}
