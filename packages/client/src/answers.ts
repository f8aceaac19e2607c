// Results that carry their own error code, as every API over several things answers them.
import { errorName, MinikafkaError } from '@minikafka/protocol'

export type ItemResult = { readonly errorCode: number; readonly errorMessage: string | null }

/** The error of one result; undefined: it succeeded. */
export function errorOf(
  result: ItemResult,
  fields: { topic?: string; partition?: number; details?: Readonly<Record<string, unknown>> } = {},
): MinikafkaError | undefined {
  if (result.errorCode === 0) return undefined
  return new MinikafkaError(errorName(result.errorCode), {
    message: result.errorMessage ?? undefined,
    ...fields,
  })
}
