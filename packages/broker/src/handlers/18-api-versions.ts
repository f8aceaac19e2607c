// ApiVersions: the answer to the hello of every connection.
//
// Versions   0, frozen for ever, both ways.
// Behaviour  Never fails; says what is spoken here and how large frames may be.
import type { ResponseOf } from '@minikafka/protocol'
import { type Apis, apis } from '@minikafka/protocol'

export type Hello = Omit<ResponseOf<Apis['apiVersions']>, 'apis'>

const ranges = Object.values(apis)
  .map(({ key, versions: [minVersion, maxVersion] }) => ({ apiKey: key, minVersion, maxVersion }))
  .sort((a, b) => a.apiKey - b.apiKey)

export function hello(facts: Hello): ResponseOf<Apis['apiVersions']> {
  return { ...facts, apis: ranges }
}
