// The assignors by name. A new one is a file and a line here.
import {
  type AssigningMember,
  type Assignment,
  type Assignor,
  inOrder,
  type Previous,
} from './assignor.ts'
import { range } from './range.ts'
import { roundRobin } from './round-robin.ts'
import { sticky } from './sticky.ts'

export type { AssigningMember, Assignment, Previous } from './assignor.ts'

const ASSIGNORS = {
  range,
  roundrobin: roundRobin,
  sticky,
} as const satisfies Readonly<Record<string, Assignor>>

export type AssignorName = keyof typeof ASSIGNORS

/** Undefined: there is no such assignor. */
export function assignorNamed(name: string): AssignorName | undefined {
  if (name === 'uniform') return 'sticky' // Kafka's name for it.
  return Object.hasOwn(ASSIGNORS, name) ? (name as AssignorName) : undefined
}

export function assign(
  name: AssignorName,
  members: readonly AssigningMember[],
  previous: Previous,
): Assignment {
  return ASSIGNORS[name](inOrder(members), previous)
}
