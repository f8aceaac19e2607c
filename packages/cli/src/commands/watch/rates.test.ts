import { expect, test } from 'vitest'
import { groupRates, type Look, topicRates } from './rates.ts'

const topic = (name: string, endOffsets: number, sizeBytes = 0) => ({
  ...{ topic: name, partitions: 1, endOffsets, records: endOffsets, sizeBytes },
})
const group = (name: string, committed: Record<string, number>) => ({
  ...{ group: name, state: 'Stable', lag: 0, lagMs: undefined },
  committed: new Map(Object.entries(committed)),
})
const look = (atMs: number, parts: Partial<Look>): Look => ({
  ...{ atMs, topics: [], groups: [], disks: [] },
  ...parts,
})

test('rates are by second, the busiest first, then by name', () => {
  const before = look(1000, { topics: [topic('a', 5), topic('b', 5), topic('c', 10, 900)] })
  const now = look(3000, { topics: [topic('b', 5), topic('a', 5), topic('c', 110, 100)] })
  expect(topicRates(before, now)).toMatchObject([
    { topic: 'c', recordsPerSecond: 50, bytesPerSecond: -400 },
    { topic: 'a', recordsPerSecond: 0 },
    { topic: 'b', recordsPerSecond: 0 },
  ])
})

test('a topic that is new counts from its start, one made anew is never negative', () => {
  const before = look(0, { topics: [topic('again', 1000)] })
  const now = look(1000, { topics: [topic('again', 3), topic('new', 7)] })
  expect(topicRates(before, now)).toMatchObject([
    { topic: 'new', recordsPerSecond: 7 },
    { topic: 'again', recordsPerSecond: 0 },
  ])
})

test('a first commit of a partition is no rate: nobody knows where it was before', () => {
  const before = look(0, { groups: [group('g', { 'a-0': 10 })] })
  const now = look(1000, {
    groups: [group('g', { 'a-0': 15, 'a-1': 9_000 }), group('h', { x: 5 })],
  })
  expect(groupRates(before, now)).toMatchObject([
    { group: 'g', recordsPerSecond: 5 },
    { group: 'h', recordsPerSecond: 0 },
  ])
})

test('a group that was sent back reads nothing backwards', () => {
  const before = look(0, { groups: [group('g', { 'a-0': 10, 'a-1': 0 })] })
  const now = look(1000, { groups: [group('g', { 'a-0': 0, 'a-1': 4 })] })
  expect(groupRates(before, now)).toMatchObject([{ recordsPerSecond: 4 }])
})
