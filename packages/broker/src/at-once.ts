// Work over many things, a few at a time: enough to keep the disk busy, few enough to leave file descriptors.

/**
 * Runs `work` over the items, at most `countMax` at a time.
 *
 * Errors  the first one of `work`; no item is begun after it, and it is thrown when nothing runs any more.
 */
export async function atOnce<T>(
  countMax: number,
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = [...items]
  let failure: { readonly error: unknown } | undefined
  let next = 0
  const worker = async () => {
    while (next < left.length && failure === undefined) {
      try {
        await work(left[next++] as T)
      } catch (error) {
        failure ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(countMax, left.length) }, worker))
  if (failure !== undefined) throw failure.error
}
