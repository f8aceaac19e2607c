// The definitions as the codec reads them: lists instead of objects, made once when the module is loaded.
// Enters: `apis`. Leaves: layouts by name and by key.
import { assert } from '@minikafka/platform'
import { type ApiName, apis } from '../apis/index.ts'
import { type Api, type Fields, type FieldType, nullable, string } from '../define.ts'

export type Layout =
  | Exclude<FieldType, { kind: 'nullable' | 'list' | 'struct' }>
  | { readonly kind: 'nullable'; readonly of: Layout }
  | { readonly kind: 'list'; readonly of: Layout; readonly countMax: number }
  | StructLayout
  /** An integer, a string, a bool or nil: details of errors, which have no definition of their own. */
  | { readonly kind: 'scalar' }

export type StructLayout = { readonly kind: 'struct'; readonly fields: readonly FieldLayout[] }

export type FieldLayout = {
  readonly name: string
  readonly type: Layout
  readonly since: number
  readonly fallback: unknown
}

export type ApiLayout = {
  readonly name: ApiName
  readonly api: Api
  readonly request: StructLayout
  readonly response: StructLayout
}

export function structLayout(fields: Fields): StructLayout {
  const layouts = Object.entries(fields).map(([name, { type, since, fallback }]) => {
    assert(since === 0 || fallback !== undefined, `${name}: a field with "since" has a fallback`)
    return { name, type: layoutOf(type), since, fallback }
  })
  layouts.forEach(({ name, since }, index) => {
    assert(since >= (layouts[index - 1]?.since ?? 0), `${name}: later fields stand behind earlier`)
  })
  return { kind: 'struct', fields: layouts }
}

function layoutOf(type: FieldType): Layout {
  switch (type.kind) {
    case 'nullable':
      return { kind: 'nullable', of: layoutOf(type.of) }
    case 'list':
      return { kind: 'list', of: layoutOf(type.of), countMax: type.countMax }
    case 'struct':
      return structLayout(type.fields)
    default:
      return type
  }
}

/** `[message|nil, path|nil, details]`; `details` in the order of the error's row. */
export const errorLayout: StructLayout = {
  kind: 'struct',
  fields: [
    ...structLayout({ message: nullable(string('')), path: nullable(string('')) }).fields,
    {
      name: 'details',
      type: { kind: 'list', of: { kind: 'scalar' }, countMax: 100 },
      since: 0,
      fallback: undefined,
    },
  ],
}

const layouts: readonly ApiLayout[] = Object.entries(apis).map(([name, api]) => ({
  name: name as ApiName,
  api,
  request: structLayout(api.request.fields),
  response: structLayout(api.response.fields),
}))

const byKey: ReadonlyMap<number, ApiLayout> = new Map(
  layouts.map((layout) => [layout.api.key, layout]),
)
const byName: ReadonlyMap<ApiName, ApiLayout> = new Map(
  layouts.map((layout) => [layout.name, layout]),
)
assert(byKey.size === layouts.length, 'every API has a key of its own')

/** Undefined: nobody speaks such an API here. */
export function layoutOfKey(apiKey: number): ApiLayout | undefined {
  return byKey.get(apiKey)
}

export function layoutOfApi(name: ApiName): ApiLayout {
  return byName.get(name) as ApiLayout
}
