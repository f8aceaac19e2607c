// The pages of docs/ that are derived. A new one is one line here.
import { apis, errors } from '@minikafka/protocol'
import { configPage } from './config-page.ts'
import { errorsPage } from './errors-page.ts'
import { protocolPage } from './protocol-page.ts'

export type Page = { readonly file: string; readonly text: string }

export function pages(): Page[] {
  return [
    { file: 'docs/protocol.md', text: protocolPage(Object.values(apis)) },
    { file: 'docs/errors.md', text: errorsPage(errors) },
    { file: 'docs/config.md', text: configPage() },
  ]
}
