// All targets, in the order in which they run.
import type { Target } from '../target.ts'
import { answers } from './answers.ts'
import { batches } from './batches.ts'
import { broker } from './broker.ts'
import { client } from './client.ts'
import { directory } from './directory.ts'
import { frames } from './frames.ts'
import { groupRecords } from './group-records.ts'
import { metadata } from './metadata.ts'
import { records } from './records.ts'

export const targets: readonly Target[] = [
  frames,
  answers,
  records,
  groupRecords,
  batches,
  broker,
  client,
  metadata,
  directory,
]
