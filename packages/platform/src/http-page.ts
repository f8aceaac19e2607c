// What every server of pages answers, whatever carries it. Enters: a method, a path. Leaves: a page, without a failure.
import type { Page } from './env.ts'

const TEXT = 'text/plain; charset=utf-8'

export async function pageFor(
  method: string,
  target: string,
  pageOf: (path: string) => Page | Promise<Page>,
): Promise<Page> {
  if (method !== 'GET' && method !== 'HEAD')
    return { status: 405, type: TEXT, body: 'only GET and HEAD\n' }
  const [path = '/'] = target.split('?', 1)
  try {
    const page = await pageOf(path)
    return method === 'HEAD' ? { ...page, body: '' } : page
  } catch {
    // What went wrong inside is nobody's business out there.
    return { status: 500, type: TEXT, body: 'this page failed\n' }
  }
}
