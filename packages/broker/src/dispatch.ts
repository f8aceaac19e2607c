// Room 3 of the walk. API key to handler, with the context it may use; what became of it is counted.
// Before: protocol/codec. After: broker/handlers.
// Enters: a checked request. Leaves: the handler's answer, or the error it threw.
import { channel } from 'node:diagnostics_channel'
import { assert, type Env } from '@minikafka/platform'
import type { CallOutcome, ServerCall, Service } from '@minikafka/protocol'
import { CallContext } from './call-context.ts'
import { type Hello, hello } from './handlers/18-api-versions.ts'
import { type Context, handlers } from './handlers/index.ts'
import { errorOf, type RequestCounts } from './metrics/index.ts'
import { QuietLog } from './quiet-log.ts'
import type { Rooms } from './rooms.ts'

const requests = channel('minikafka:broker:request')
/** Everyone that was refused, before a handler could answer; the log has a line a second. */
const refusals = channel('minikafka:broker:refused')

/** What stands between the sockets and the handlers, for those who run the broker in their own process (`testing`). */
export type Through = (
  call: ServerCall,
  serve: (call: ServerCall) => Promise<CallOutcome>,
) => Promise<CallOutcome>

/** What stands behind the sockets of one listener. */
export function dispatcher(
  env: Env,
  rooms: Rooms,
  listener: string,
  facts: () => Hello,
  counts: RequestCounts,
  through: Through | undefined,
): Service {
  const log = new QuietLog(env.clock, env.logger.child({ component: 'listener', listener }))
  return {
    serve: through
      ? (call) => through(call, (next) => serve(next, env, rooms, listener))
      : (call) => serve(call, env, rooms, listener),
    served: (call, outcome, failure, durationMs) => {
      counts.served(call, outcome, failure, durationMs)
      if (requests.hasSubscribers) tell(call, outcome, failure, durationMs)
    },
    hello: () => hello(facts()),
    refused: ({ remote: { host: address } }, reason, detail) => {
      counts.refused(reason)
      refusals.publish({ listener, address, reason, detail })
      const what = reason === 'request' ? 'refused a request' : 'refused a connection'
      log.warn(address, { address, reason, detail }, what)
    },
    unexpected: (error, { api, connection }) => {
      env.logger.error(
        { err: error, api, clientId: connection.clientId },
        'a handler failed unexpectedly',
      )
    },
  }
}

function serve(call: ServerCall, env: Env, rooms: Rooms, listener: string): Promise<CallOutcome> {
  const { api } = call
  const context = new CallContext(env, rooms, listener, call)
  assert(api !== 'apiVersions', 'the hello of a connection never gets here')
  // The table is total over the APIs; the tag of the union says which request this is.
  const handler = handlers[api] as (request: unknown, context: Context) => Promise<CallOutcome>
  return handler(call.request, context)
}

/** For those who listen in this process. */
function tell(call: ServerCall, outcome: CallOutcome, failure: unknown, durationMs: number): void {
  const { api, frameBytes: requestBytes, connection } = call
  const { clientId } = connection
  const error = errorOf(outcome, failure)
  requests.publish({ api, clientId, durationMs, requestBytes, error, response: outcome })
}
