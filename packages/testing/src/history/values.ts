// Anomalies of single values: two at an offset, one at two offsets, lost, never seen, seen though refused.
// Source: jepsen.tests.kafka (inconsistent-offsets, duplicate, lost-write, unseen, G1a); `final` reads are ours.
import type { Act } from './act.ts'
import type { Anomalies, AnomalyKind } from './anomaly.ts'
import { type Facts, isProven } from './facts.ts'
import type { PartitionFacts, Place, Write } from './partition-facts.ts'

/** `forgets`: old records of the partition may be gone, by compaction or retention. */
export function checkValues(
  facts: Facts,
  partition: PartitionFacts,
  anomalies: Anomalies,
  forgets: boolean,
): void {
  for (const place of partition.places) checkPlace(partition, place, anomalies)
  checkDuplicates(partition, anomalies)
  checkRefused(partition, anomalies)
  if (!forgets) checkLost(facts, partition, anomalies)
}

/** Two acknowledgements for one offset are a leader's fault; anything else that differs changed what was read. */
function checkPlace({ name, writes }: PartitionFacts, place: Place, anomalies: Anomalies): void {
  if (place.rivals === undefined) return
  const claims = [place, ...place.rivals]
  const { offset, value } = place
  const acknowledged = claims.flatMap((claim) => {
    const write = writes.get(claim.value)
    return write?.offset === offset && write.act.outcome === 'ok' ? [write.act] : []
  })
  const values = claims.map((claim) => JSON.stringify(claim.value)).join(' and ')
  const text = `${name}@${offset} was ${values}`
  const where = { partition: name, offset, value }
  if (acknowledged.length > 1) {
    anomalies.add({ kind: 'offset-reuse', text, ...where, operations: linesOf(acknowledged) })
  }
  if (
    claims.some((claim) => writes.get(claim.value)?.offset !== offset || wasRead(claim, writes))
  ) {
    const acts = claims.map(({ act }) => act)
    anomalies.add({ kind: 'inconsistent-offsets', text, ...where, operations: linesOf(acts) })
  }
}

function wasRead(claim: { value: Place['value'] }, writes: PartitionFacts['writes']): boolean {
  return writes.get(claim.value)?.reader !== undefined
}

function checkDuplicates({ name, writes, places }: PartitionFacts, anomalies: Anomalies): void {
  for (const { act, value, firstIndex, lastIndex } of writes.values()) {
    if (firstIndex === lastIndex || act.operation.plain === true) continue
    const [first, last] = [places[firstIndex], places[lastIndex]]
    if (first === undefined || last === undefined) continue
    anomalies.add({
      kind: 'duplicate',
      text: `${name}: ${JSON.stringify(value)} stands at ${first.offset} and again at ${last.offset}`,
      ...{ partition: name, offset: last.offset, value },
      operations: linesOf([act, first.act, last.act]),
    })
  }
}

/** A definite error is a promise, too: what was refused is never there. */
function checkRefused({ name, writes, places }: PartitionFacts, anomalies: Anomalies): void {
  for (const { act, value, reader, okReader, firstIndex } of writes.values()) {
    if (act.outcome !== 'fail') continue
    const aborted = act.call === 'transaction'
    const seenBy = aborted ? okReader : reader
    if (seenBy === undefined) continue
    const offset = places[firstIndex]?.offset ?? -1
    const what = aborted ? 'of an aborted transaction' : 'answered with a definite error'
    anomalies.add({
      kind: aborted ? 'aborted-read' : 'definite-error-visible',
      text: `${name}@${offset}: ${JSON.stringify(value)}, ${what}, was read`,
      ...{ partition: name, offset, value },
      operations: linesOf([act, seenBy]),
    })
  }
}

function checkLost(facts: Facts, partition: PartitionFacts, anomalies: Anomalies): void {
  const { writes, final } = partition
  let bound = -1
  for (const { reader, firstIndex } of writes.values()) {
    if (reader !== undefined) bound = Math.max(bound, firstIndex)
  }
  for (const write of writes.values()) {
    if (!isProven(facts, write)) continue
    if (final !== undefined && !final.has(write.value)) {
      lose(facts, partition, write, anomalies, 'lost-write', 'is not in the final read')
    } else if (write.reader !== undefined) {
    } else if (write.lastIndex !== -1 && write.lastIndex <= bound) {
      lose(facts, partition, write, anomalies, 'lost-write', 'was read past and never read')
    } else {
      lose(
        facts,
        partition,
        write,
        anomalies,
        'unseen',
        'was never read: did anybody read to the end?',
      )
    }
  }
}

function lose(
  { seen }: Facts,
  { name, places }: PartitionFacts,
  { act, value, offset = -1, reader, firstIndex }: Write,
  anomalies: Anomalies,
  how: AnomalyKind,
  words: string,
): void {
  const kind = seen.has(act) ? 'torn-transaction' : how
  const at = offset === -1 ? (places[firstIndex]?.offset ?? -1) : offset
  const claim = act.outcome === 'ok' ? 'acknowledged' : 'seen before'
  anomalies.add({
    kind,
    text: `${name}${at === -1 ? '' : `@${at}`}: ${JSON.stringify(value)}, ${claim}, ${words}`,
    ...{ partition: name, value, ...(at === -1 ? {} : { offset: at }) },
    operations: linesOf(reader === undefined ? [act] : [act, reader]),
  })
}

function linesOf(acts: readonly Act[]) {
  const sorted = [...new Set(acts)].sort((a, b) => a.index - b.index)
  return sorted.map(({ operation }) => operation)
}
