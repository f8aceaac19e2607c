// A file that a command writes, as its user named it. Enters: where, and what. Leaves: the file, for its owner only, or a
// Failure that names it.
import type { Env } from '@minikafka/client'
import { Failure } from './failures.ts'

/** An old file gives way as a whole. */
export async function saveFile(env: Env, path: string, text: string): Promise<void> {
  await checkPlace(env, path)
  await env.disk.replaceFile(path, Buffer.from(text)).catch(unwritten(path))
}

/** Before the work whose result shall be there. What is no file (/dev/null) would be put out of the way. */
export async function checkPlace({ disk }: Env, path: string): Promise<void> {
  const there = await disk.stat(path).catch(unwritten(path))
  if (there !== undefined && there.kind !== 'file')
    throw new Failure(`${path} cannot be written: it is there already, and is no file`)
  const slash = path.lastIndexOf('/')
  const folder = slash < 0 ? '.' : path.slice(0, slash + 1)
  if ((await disk.stat(folder).catch(unwritten(path))) === undefined)
    throw new Failure(`${path} cannot be written: there is no folder ${folder}`)
}

function unwritten(path: string): (error: Error) => never {
  return (error) => {
    // `EACCES: permission denied`, without the call that failed.
    const [reason] = error.message.split(',')
    throw new Failure(`${path} cannot be written: ${reason}`, undefined, { cause: error })
  }
}
