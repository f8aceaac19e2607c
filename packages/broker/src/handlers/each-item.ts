// Requests over several things, each of which succeeds or fails by itself.
import { type ErrorName, errorCode, isMinikafkaError } from '@minikafka/protocol'

export type ItemError = { readonly errorCode: number; readonly errorMessage: string | null }

const OK: ItemError = { errorCode: 0, errorMessage: null }

/** Runs `work` item by item, in order; an operating error becomes the item's own, anything else is thrown on. */
export async function eachItem<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R> | R,
  failed: (item: T) => R,
): Promise<(R & ItemError)[]> {
  const results: (R & ItemError)[] = []
  for (const item of items) {
    try {
      results.push({ ...OK, ...(await work(item)) })
    } catch (error) {
      if (!isMinikafkaError(error)) throw error
      results.push({ ...itemError(error.name, error.message), ...failed(item) })
    }
  }
  return results
}

function itemError(name: ErrorName, message: string): ItemError {
  return { errorCode: errorCode(name), errorMessage: message }
}
