// What destroys asks first: on a terminal by a question, elsewhere by --yes.
import type { Session } from './session.ts'
import { UsageError } from './usage-error.ts'

export async function confirm(session: Session, question: string): Promise<void> {
  if (session.yes) return
  const { stdin, stderr } = session.env.program
  if (!stdin.isTTY)
    throw new UsageError('this destroys data: say --yes to do it without a question')
  await stderr.write(`${question} [y/N] `)
  for await (const chunk of stdin.chunks()) {
    if (/^y(es)?\s*$/i.test(chunk.toString('utf8'))) return
    break
  }
  throw new UsageError('not confirmed, nothing was done')
}
