// `npm run pack -- --into DIR`: the tarballs of what is published, but for what only tests need.
import { parseArgs } from 'node:util'
import { packAll } from './pack/packages.ts'

const { values: flags } = parseArgs({ options: { into: { type: 'string', default: 'tarballs' } } })
packAll(flags.into, (name) => name !== '@minikafka/testing')
