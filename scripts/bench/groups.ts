// What groups cost, each beside what it is compared with in the same run. Enters: a folder. Leaves: lines.
// What compaction of __consumer_offsets costs is in `--compaction`: it is that of any compacted topic.
import { commitRates } from './groups/commits.ts'
import { consumeRatio } from './groups/consume.ts'
import { heartbeatShare } from './groups/heartbeats.ts'
import { rebalance } from './groups/rebalance.ts'
import { reload } from './groups/reload.ts'

const PARTS = {
  consume: consumeRatio,
  rebalance,
  heartbeats: heartbeatShare,
  commits: commitRates,
  reload,
}

/** `only`: one of PARTS. */
export async function groups(folder: string, only: string, ms: number): Promise<void> {
  for (const [name, part] of Object.entries(PARTS)) if (name.includes(only)) await part(folder, ms)
}
