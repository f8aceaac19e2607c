// Where an answer that went well as a whole may have errors inside: in its partitions, topics or members.
// Enters: the definition of a response, once; then responses. Leaves: each `errorCode` that is not 0.
import type { Fields, FieldType } from '@minikafka/protocol'

export type ErrorPlaces = {
  /** The thing itself has an `errorCode`. */
  readonly own: boolean
  /** Its fields that lead to more of them. */
  readonly inside: readonly { readonly field: string; readonly places: ErrorPlaces }[]
}

type Item = { readonly errorCode?: number; readonly [field: string]: unknown }

/** Undefined: no answer of this kind has any. */
export function errorPlaces(fields: Fields): ErrorPlaces | undefined {
  const inside = Object.entries(fields).flatMap(([field, { type }]) => {
    const places = placesOf(type)
    return places === undefined ? [] : [{ field, places }]
  })
  const own = fields.errorCode !== undefined
  return own || inside.length > 0 ? { own, inside } : undefined
}

function placesOf(type: FieldType): ErrorPlaces | undefined {
  if (type.kind === 'struct') return errorPlaces(type.fields)
  return type.kind === 'list' || type.kind === 'nullable' ? placesOf(type.of) : undefined
}

/** Called with every answer: nothing is allocated where there is no error. */
export function eachErrorCode(
  answer: object,
  { own, inside }: ErrorPlaces,
  to: { failed(code: number): void },
): void {
  const item = answer as Item
  if (own && item.errorCode) to.failed(item.errorCode)
  for (const { field, places } of inside) {
    const value = item[field]
    if (Array.isArray(value)) for (const each of value) eachErrorCode(each, places, to)
    else if (value) eachErrorCode(value, places, to)
  }
}
