// What destroys asks first: on a terminal by a question, elsewhere by --yes.
import { Failure } from './failures.ts'
import type { Session } from './session.ts'
import { untilAborted } from './sleep.ts'
import { UsageError } from './usage-error.ts'

export async function confirm(session: Session, question: string): Promise<void> {
  if (session.yes) return
  const { stdin, stderr } = session.env.program
  if (!stdin.isTTY || !stderr.isTTY)
    throw new UsageError('this destroys data: say --yes to do it without a question')
  await stderr.write(`${question} [y/N] `)
  let answer = ''
  for await (const chunk of untilAborted(stdin.chunks(), session.signal)) {
    answer += chunk.toString('utf8')
    if (answer.includes('\n')) break
  }
  session.signal.throwIfAborted()
  if (!/^\s*y(es)?\s*$/i.test(answer)) throw new Failure('not confirmed, nothing was done')
}
