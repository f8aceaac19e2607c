import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { TopicFacts } from '../groups/contract.ts'
import { keysOfTopic, topicsOf } from './assignor.ts'
import { type AssigningMember, type Assignment, type AssignorName, assign } from './index.ts'

const NAMES: readonly AssignorName[] = ['range', 'roundrobin', 'sticky']
const NOTHING_BEFORE = new Map<string, Set<string>>()

const topics = fc
  .array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 5 })
  .map((counts) =>
    counts.map((partitionCount, index): TopicFacts => {
      const name = `topic-${index}`
      return { name, topicId: `id-${index}`, partitionCount }
    }),
  )

/** Members of one group, before and after some came, went, or changed their mind. */
function groups(mayDiffer: boolean) {
  return topics.chain((all) => {
    const topicList = mayDiffer ? fc.subarray(all) : fc.constant(all)
    const member = fc.record({
      id: fc.integer({ min: 0, max: 11 }),
      isStatic: fc.boolean(),
      topics: topicList,
    })
    const members = fc
      .uniqueArray(member, { minLength: 1, maxLength: 7, selector: ({ id }) => id })
      .map((list) =>
        list.map(({ id, isStatic, topics: subscribed }): AssigningMember => {
          return { memberId: `m${id}`, instanceId: isStatic ? `i${id}` : null, topics: subscribed }
        }),
      )
    return fc.record({ before: members, after: members })
  })
}

const equalTopics = groups(false)
const anyTopics = groups(true)

function sizes(assignment: Assignment): number[] {
  return [...assignment.values()].map((keys) => keys.size)
}

function spread(counts: readonly number[]): number {
  return Math.max(...counts) - Math.min(...counts)
}

function ownerOf(assignment: Assignment, key: string): string | undefined {
  return [...assignment].find(([, keys]) => keys.has(key))?.[0]
}

function countKept(before: Assignment, after: Assignment): number {
  let kept = 0
  for (const [memberId, keys] of after)
    for (const key of keys) if (before.get(memberId)?.has(key)) kept++
  return kept
}

test.each(NAMES)('%s gives every partition to one subscriber', (name) => {
  fc.assert(
    fc.property(anyTopics, ({ before, after }) => {
      const previous = assign(name, before, NOTHING_BEFORE)
      const assignment = assign(name, after, previous)
      expect([...assignment.keys()].sort()).toEqual(after.map(({ memberId }) => memberId).sort())
      const given = [...assignment.values()].flatMap((keys) => [...keys])
      expect(given.sort()).toEqual(topicsOf(after).flatMap(keysOfTopic).sort())
      for (const member of after) {
        const may = new Set(member.topics.flatMap(keysOfTopic))
        for (const key of assignment.get(member.memberId) ?? []) expect(may).toContain(key)
      }
    }),
  )
})

test.each(NAMES)('%s gives the same, in whatever order members and targets come', (name) => {
  fc.assert(
    fc.property(anyTopics, ({ before, after }) => {
      const previous = assign(name, before, NOTHING_BEFORE)
      const turned = new Map(
        [...previous].reverse().map(([id, keys]) => [id, new Set([...keys].reverse())]),
      )
      const one = assign(name, after, previous)
      const other = assign(name, [...after].reverse(), turned)
      for (const { memberId } of after) expect(other.get(memberId)).toEqual(one.get(memberId))
    }),
  )
})

test.each(['roundrobin', 'sticky'] as const)(
  '%s: with equal topics sizes differ by one',
  (name) => {
    fc.assert(
      fc.property(equalTopics, ({ before, after }) => {
        const assignment = assign(name, after, assign(name, before, NOTHING_BEFORE))
        expect(spread(sizes(assignment))).toBeLessThanOrEqual(1)
      }),
    )
  },
)

test('range: shares of a topic differ by one, are runs, and equal topics are cut alike', () => {
  fc.assert(
    fc.property(equalTopics, ({ after }) => {
      const assignment = assign('range', after, NOTHING_BEFORE)
      const cuts = new Map<number, string>()
      for (const topic of topicsOf(after)) {
        const keys = keysOfTopic(topic)
        const owners = keys.map((key) => ownerOf(assignment, key))
        const shares = after.map((member) => owners.filter((id) => id === member.memberId).length)
        expect(spread(shares)).toBeLessThanOrEqual(1)
        expect(owners.filter((id, index) => id !== owners[index - 1])).toHaveLength(
          new Set(owners).size,
        )
        const cut = cuts.get(keys.length) ?? owners.join()
        expect(owners.join()).toBe(cut)
        cuts.set(keys.length, cut)
      }
    }),
  )
})

test('sticky: with equal topics no assignment in balance keeps more', () => {
  fc.assert(
    fc.property(equalTopics, ({ before, after }) => {
      const previous = assign('sticky', before, NOTHING_BEFORE)
      const assignment = assign('sticky', after, previous)
      expect(countKept(previous, assignment)).toBe(mostKept(previous, after))
    }),
  )
})

/** By trying all choices of who has one more. */
function mostKept(previous: Assignment, members: readonly AssigningMember[]): number {
  const valid = new Set(topicsOf(members).flatMap(keysOfTopic))
  const had = members.map(
    ({ memberId }) => [...(previous.get(memberId) ?? [])].filter((key) => valid.has(key)).length,
  )
  const sizeMin = Math.floor(valid.size / members.length)
  let most = 0
  for (let choice = 0; choice < 2 ** members.length; choice++) {
    const hasMore = had.map((_, index) => ((choice >> index) & 1) === 1)
    if (hasMore.filter(Boolean).length !== valid.size % members.length) continue
    const kept = had.map((count, index) => Math.min(count, sizeMin + (hasMore[index] ? 1 : 0)))
    most = Math.max(
      most,
      kept.reduce((sum, count) => sum + count, 0),
    )
  }
  return most
}

test('sticky: with equal topics nobody loses one and is given another', () => {
  fc.assert(
    fc.property(equalTopics, ({ before, after }) => {
      const previous = assign('sticky', before, NOTHING_BEFORE)
      const valid = new Set(topicsOf(after).flatMap(keysOfTopic))
      for (const [memberId, keys] of assign('sticky', after, previous)) {
        const had = [...(previous.get(memberId) ?? [])].filter((key) => valid.has(key))
        const lost = had.filter((key) => !keys.has(key)).length
        const gained = [...keys].filter((key) => !had.includes(key)).length
        expect(Math.min(lost, gained)).toBe(0)
      }
    }),
  )
})

test('sticky: no partition could move to a subscriber that has two less', () => {
  fc.assert(
    fc.property(anyTopics, ({ before, after }) => {
      const assignment = assign('sticky', after, assign('sticky', before, NOTHING_BEFORE))
      for (const topic of topicsOf(after)) {
        const counts = after
          .filter(({ topics: subscribed }) => subscribed.includes(topic))
          .map(({ memberId }) => assignment.get(memberId)?.size ?? 0)
        for (const key of keysOfTopic(topic)) {
          const owner = ownerOf(assignment, key) ?? ''
          const count = assignment.get(owner)?.size ?? 0
          expect(count - Math.min(...counts)).toBeLessThanOrEqual(1)
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('sticky: no partition moved that might as well have stayed', () => {
  fc.assert(
    fc.property(anyTopics, ({ before, after }) => {
      const previous = assign('sticky', before, NOTHING_BEFORE)
      const assignment = assign('sticky', after, previous)
      for (const topic of topicsOf(after)) {
        for (const key of keysOfTopic(topic)) {
          const owner = ownerOf(assignment, key) ?? ''
          const ownerBefore = after.find(({ memberId }) => previous.get(memberId)?.has(key))
          if (ownerBefore === undefined || ownerBefore.memberId === owner) continue
          if (!ownerBefore.topics.includes(topic)) continue
          // Were it lighter than the new owner, the balance would be no worse with it.
          const heldBefore = assignment.get(ownerBefore.memberId)?.size ?? 0
          expect(assignment.get(owner)?.size ?? 0).toBeLessThanOrEqual(heldBefore)
        }
      }
    }),
    { numRuns: 1_000 },
  )
})

test('sticky: the same members and topics again move nothing', () => {
  fc.assert(
    fc.property(anyTopics, ({ before, after }) => {
      const once = assign('sticky', after, assign('sticky', before, NOTHING_BEFORE))
      expect(assign('sticky', after, once)).toEqual(once)
    }),
  )
})
