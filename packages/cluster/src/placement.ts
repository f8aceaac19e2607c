// Which brokers get the replicas of new partitions. Pure; racks are not looked at yet.

/**
 * Partition after partition one broker further, its other replicas on those that follow.
 *
 * Shape   `brokers`: ids that may be used, at least `replicationFactor` of them. One list per partition, preferred
 *         leader first. `start`: how many partitions there are already, so that topics do not all begin at the first.
 */
export function placeReplicas(
  brokers: readonly number[],
  { count, replicationFactor, start }: { count: number; replicationFactor: number; start: number },
): number[][] {
  const ids = brokers.toSorted((left, right) => left - right)
  return Array.from({ length: count }, (_, partition) =>
    Array.from(
      { length: replicationFactor },
      (_, replica) => ids[(start + partition + replica) % ids.length] as number,
    ),
  )
}
