// What goes through the broker, counted as it happens: requests by API, with how long they took, and refusals.
// Enters: each call once it is answered; each refusal. Leaves: counts, for the page. Labels come from our own tables.
import {
  type ApiName,
  apis,
  type CallOutcome,
  type ErrorName,
  errorName,
  isMinikafkaError,
  type RefusalReason,
  type ServerCall,
} from '@minikafka/protocol'
import { Durations } from '../durations.ts'
import { type ErrorPlaces, eachErrorCode, errorPlaces } from './error-places.ts'

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** As many as there are APIs, made once: a request that went well changes numbers and allocates nothing. */
class ApiCounts {
  readonly durations = new Durations(SECONDS)
  bytes = 0
  readonly errors = new Map<ErrorName, number>()
  readonly places: ErrorPlaces | undefined

  constructor(places: ErrorPlaces | undefined) {
    this.places = places
  }

  failed(code: number): void {
    this.failedWith(errorName(code))
  }

  failedWith(name: ErrorName): void {
    this.errors.set(name, (this.errors.get(name) ?? 0) + 1)
  }
}

export class RequestCounts {
  readonly byApi: ReadonlyMap<ApiName, ApiCounts> = new Map(
    Object.entries(apis).map(([api, { response }]) => [
      api as ApiName,
      new ApiCounts(errorPlaces(response.fields)),
    ]),
  )
  readonly refusals = new Map<RefusalReason, number>()

  /** `failure` where there is no outcome; undefined for both: nothing was to be answered. */
  served(call: ServerCall, outcome: CallOutcome, failure: unknown, durationMs: number): void {
    const counts = this.byApi.get(call.api) as ApiCounts
    counts.durations.add(durationMs)
    counts.bytes += call.frameBytes
    const error = errorOf(outcome, failure)
    if (error !== undefined) counts.failedWith(error)
    else if (outcome !== undefined && counts.places !== undefined)
      eachErrorCode(outcome, counts.places, counts)
  }

  refused(reason: RefusalReason): void {
    this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1)
  }
}

/** Of a call as a whole. */
export function errorOf(outcome: CallOutcome, failure: unknown): ErrorName | undefined {
  if (failure !== undefined)
    return isMinikafkaError(failure) ? failure.name : 'UNKNOWN_SERVER_ERROR'
  return outcome !== undefined && 'hangUp' in outcome ? outcome.hangUp.name : undefined
}
