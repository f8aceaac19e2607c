// All keys under a prefix at one revision, page by page.
import type { KeyValue, MetaStore } from './meta-store.ts'

const PAGE = 1000

export async function rangeAll(
  store: MetaStore,
  prefix: string,
): Promise<{ rev: number; kvs: readonly KeyValue[] }> {
  const { rev, kvs: first } = await store.range(prefix, { limit: PAGE })
  const kvs = [...first]
  let page = first
  while (page.length === PAGE) {
    page = (await store.range(prefix, { rev, limit: PAGE, after: kvs.at(-1)?.key })).kvs
    kvs.push(...page)
  }
  return { rev, kvs }
}
