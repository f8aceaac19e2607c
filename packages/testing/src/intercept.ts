// What stands between clients and the broker's handlers, where a test wants it: answers, errors, delays, silence.
// Enters: each request, decoded. Leaves: what the handler answers, or what the test wants instead.
import {
  type ApiName,
  type Apis,
  apis,
  type CallOutcome,
  type ErrorName,
  errorCode,
  type Field,
  type FieldType,
  MinikafkaError,
  nearest,
  type RequestOf,
  type ResponseOf,
  type ServerCall,
} from '@minikafka/protocol'
import type { Through } from 'minikafka-broker'
import { type Duration, durationMs } from './world/index.ts'

/** Kafka's names: `Produce`, `Fetch`. ApiVersions is not among them: the first exchange cannot be intercepted. */
export type InterceptedApi = Capitalize<Exclude<ApiName, 'apiVersions'>>
type ApiOf<N extends InterceptedApi> = Apis[Uncapitalize<N>]

/** Undefined where nothing is answered: a Produce with acks 0. */
type Answer<N extends InterceptedApi> = ResponseOf<ApiOf<N>> | undefined

export type Verdict<N extends InterceptedApi> =
  | Answer<N>
  /** Refused: nothing is done. Where an answer has an item for each item of the request, each item is refused. */
  | { readonly error: ErrorName; readonly message?: string | undefined }
  /** Never answered. */
  | { readonly drop: true }
  /** The connection closes instead. */
  | { readonly disconnect: true }

export type Interceptor<N extends InterceptedApi> = (
  request: RequestOf<ApiOf<N>>,
  /** Passes it on, as it is or changed, and gives what the broker answers. */
  next: (request: RequestOf<ApiOf<N>>) => Promise<Answer<N>>,
  context: {
    readonly clientId: string
    /** On the broker's clock. */
    delay(duration: Duration): Promise<void>
  },
) => Verdict<N> | Promise<Verdict<N>>

/** Ends the interception; `using` does it too. */
export type Interception = Disposable & { end(): void }

type AnyInterceptor = Interceptor<InterceptedApi>

export class Interceptors {
  readonly #delay: (delayMs: number) => Promise<void>
  /** The newest first: it sees the request first. */
  #list: { readonly api: ApiName; readonly handler: AnyInterceptor }[] = []

  constructor(delay: (delayMs: number) => Promise<void>) {
    this.#delay = delay
  }

  /** Errors: RangeError for an API that is not there. */
  add<N extends InterceptedApi>(name: N, handler: Interceptor<N>): Interception {
    const entry = { api: apiNamed(name), handler: handler as unknown as AnyInterceptor }
    this.#list = [entry, ...this.#list]
    const end = () => {
      this.#list = this.#list.filter((other) => other !== entry)
    }
    return { end, [Symbol.dispose]: end }
  }

  /** Synchronous up to the handlers, as long as the interceptors are: requests of a connection keep their order. */
  readonly through: Through = (call, serve) => {
    const handlers = this.#list.filter(({ api }) => api === call.api).map(({ handler }) => handler)
    return this.#pass(call, handlers, serve)
  }

  async #pass(
    call: ServerCall,
    [first, ...rest]: AnyInterceptor[],
    serve: Parameters<Through>[1],
  ): Promise<CallOutcome> {
    if (first === undefined) return serve(call)
    // An interceptor may keep what it sees: the call that goes on is one whose memory is never used again.
    const next = (request: unknown) => this.#pass(withRequest(call, request), rest, serve)
    const { clientId } = call.connection
    const delay = (duration: Duration) => this.#delay(durationMs(duration))
    const verdict = await first(call.request as never, next as never, { clientId, delay })
    if (verdict === undefined) return undefined
    if ('drop' in verdict) return neverAnswered(call)
    if ('disconnect' in verdict) return { hangUp: new MinikafkaError('NETWORK_EXCEPTION') }
    if ('error' in verdict) return refusal(call, verdict.error, verdict.message)
    return verdict as CallOutcome
  }
}

function apiNamed(name: string): ApiName {
  const all = Object.entries(apis) as [ApiName, { name: string }][]
  const found = all.find(([api, definition]) => definition.name === name && api !== 'apiVersions')
  if (found !== undefined) return found[0]
  const names = all.map(([, definition]) => definition.name).filter((one) => one !== 'ApiVersions')
  const near = nearest(name, names)
  const help = near === undefined ? names.join(', ') : `did you mean '${near}'?`
  throw new RangeError(`there is no API '${name}' to intercept: ${help}`)
}

function withRequest(call: ServerCall, request: unknown): ServerCall {
  const { api, version, correlationId, frameBytes, receivedAtMs, connection, memory } = call
  const facts = { api, version, correlationId, frameBytes, receivedAtMs, connection, memory }
  return {
    ...facts,
    request,
    get signal() {
      return call.signal
    },
  } as ServerCall
}

/** Until the connection is gone. */
function neverAnswered({ signal }: ServerCall): Promise<undefined> {
  return new Promise((resolve) => {
    const end = () => resolve(undefined)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
}

// --- refusals ------------------------------------------------------------------------------------

/** As the broker refuses: item by item where the answer has items, else the whole request. */
function refusal(call: ServerCall, error: ErrorName, message: string | undefined): CallOutcome {
  const api = apis[call.api]
  const [request, response] = [api.request.fields as Table, api.response.fields as Table]
  const items = listOf(request)
  const results = response.results === undefined ? undefined : structIn(response.results.type)
  if (items === undefined || results === undefined) {
    throw new MinikafkaError(error, message === undefined ? {} : { message })
  }
  const asked = (call.request as unknown as Record<string, readonly object[]>)[items] ?? []
  const refused = asked.map((item) => ({
    ...emptyOf(results),
    ...sharedWith(results, item),
    errorCode: errorCode(error),
    errorMessage: message ?? null,
  }))
  return { ...emptyOf(response), results: refused } as unknown as CallOutcome
}

type Table = Readonly<Record<string, Field<unknown>>>

/** The request's list of structs, if it has one. */
function listOf(fields: Table): string | undefined {
  return Object.keys(fields).find((name) => structIn((fields[name] as Field<unknown>).type))
}

function structIn(type: FieldType): Table | undefined {
  return type.kind === 'list' && type.of.kind === 'struct' ? (type.of.fields as Table) : undefined
}

function sharedWith(fields: Table, item: object): object {
  return Object.fromEntries(Object.entries(item).filter(([name]) => name in fields))
}

function emptyOf(fields: Table): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, { type }]) => [name, emptyValue(name, type)]),
  )
}

/** 0 where it means that nothing is written, or that there is no session; elsewhere -1 is Kafka's word for none. */
const ZERO = ['written', 'sessionId', 'throttleTimeMs']

function emptyValue(name: string, type: FieldType): unknown {
  if (type.kind === 'int') return ZERO.includes(name) ? 0 : Math.max(-1, type.min)
  if (type.kind === 'bool') return false
  if (type.kind === 'string') return ''
  if (type.kind === 'uuid') return '00000000-0000-0000-0000-000000000000'
  if (type.kind === 'list') return []
  if (type.kind === 'struct') return emptyOf(type.fields as Table)
  if (type.kind === 'blob') return type.many ? [] : new Uint8Array(0)
  return null
}
