// A hand-made history for each broken promise, and beside it what looks like one and is allowed.
import { expect, test } from 'vitest'
import { checkHistory } from './check-history.ts'
import type { Operation, Step } from './operation.ts'

type Rest = Partial<Operation>

const P = 'p-0'
let nowMs = 0

function line(call: Operation['call'], process: number, steps: readonly Step[], rest: Rest = {}) {
  nowMs += 10
  return { process, timeMs: nowMs, type: 'ok', call, steps, ...rest } satisfies Operation
}

function send(process: number, value: string, offset?: number, rest?: Rest): Operation {
  return line('send', process, [{ send: P, value, offset }], rest)
}

/** `records` as 'a@0 b@1'. */
function poll(process: number, records: string, rest?: Rest): Operation {
  return line('poll', process, [polled(records)], rest)
}

function polled(records: string, partition = P): Step {
  const list = records.split(' ').filter((text) => text !== '')
  return {
    poll: partition,
    records: list.map((text) => {
      const [value = '', offset] = text.split('@')
      return { offset: Number(offset), value }
    }),
  }
}

const sent = (...steps: Step[]) => steps
const one = (value: string, offset?: number, partition = P): Step => ({
  send: partition,
  value,
  offset,
})

function kindsOf(...history: Operation[]): string[] {
  return checkHistory(history).anomalies.map(({ kind }) => kind)
}

test('what was sent, acknowledged and read in order breaks no promise', () => {
  const report = checkHistory([
    send(1, 'a', 0, { type: 'invoke' }),
    send(1, 'a', 0),
    send(1, 'b', 3),
    send(1, 'refused', undefined, { type: 'fail' }),
    send(2, 'doubtful', undefined, { type: 'info' }),
    poll(9, 'a@0 b@3'),
    poll(9, ''),
  ])
  expect(report).toMatchObject({ operations: 6, acked: 2, refused: 1, doubtful: 1 })
  expect(report).toMatchObject({ read: 2, polled: 2, anomalies: [], anomalyCounts: {}, stuck: [] })
})

test('a finding says where, what and who', () => {
  const [first, second, third] = [send(1, 'a', 0), send(1, 'b', 1), poll(9, 'b@1')]
  const { anomalies } = checkHistory([first, second, third])
  expect(anomalies).toEqual([
    {
      kind: 'lost-write',
      text: 'p-0@0: "a", acknowledged, was read past and never read',
      partition: 'p-0',
      offset: 0,
      value: 'a',
      operations: [first],
    },
  ])
})

// --- values --------------------------------------------------------------------------------------

test('inconsistent-offsets: two readers see two values at one offset', () => {
  const history = [send(1, 'a', 0), send(2, 'b', undefined, { type: 'info' })]
  expect(kindsOf(...history, poll(8, 'a@0'), poll(9, 'b@0'))).toEqual(['inconsistent-offsets'])
})

test('inconsistent-offsets: an acknowledgement and a reader differ; also where the poll failed', () => {
  const history = [send(1, 'a', 0), send(2, 'b', undefined, { type: 'info' }), poll(8, 'a@0')]
  expect(kindsOf(...history, poll(9, 'b@0', { type: 'fail' }))).toEqual(['inconsistent-offsets'])
})

test('offset-reuse: two sends are given one offset; the second of them is lost', () => {
  const { anomalyCounts } = checkHistory([send(1, 'a', 0), send(2, 'b', 0)])
  expect(anomalyCounts).toEqual({ 'offset-reuse': 1, unseen: 2 })
})

test('allowed: the same offset in two partitions', () => {
  const history = [send(1, 'a', 0), line('send', 1, [one('b', 0, 'p-1')])]
  expect(kindsOf(...history, line('poll', 9, [polled('a@0'), polled('b@0', 'p-1')]))).toEqual([])
})

test('allowed: what a doubtful send was told of its offset, when nobody saw it', () => {
  const history = [send(1, 'a', 0, { type: 'info' }), send(2, 'b', 0)]
  expect(kindsOf(...history, poll(9, 'b@0'))).toEqual([])
})

test('duplicate: one value at two offsets', () => {
  expect(kindsOf(send(1, 'a', 0), poll(9, 'a@0 a@1'))).toEqual(['duplicate'])
})

test('duplicate: read elsewhere than acknowledged', () => {
  expect(kindsOf(send(1, 'a', 0), poll(9, 'a@1'))).toEqual(['duplicate'])
})

test('allowed: twice, where the sender is without idempotence', () => {
  expect(kindsOf(send(1, 'a', 0, { plain: true }), poll(9, 'a@0 a@1'))).toEqual([])
})

test('allowed: one value in two partitions, for values tell apart within a partition', () => {
  const history = [send(1, 'a', 0), line('send', 1, [one('a', 0, 'p-1')])]
  expect(kindsOf(...history, line('poll', 9, [polled('a@0'), polled('a@0', 'p-1')]))).toEqual([])
})

test('lost-write: a doubtful send was seen by one reader; a later one of its value would be lost', () => {
  const info = { type: 'info' } as const
  const seen = [send(1, 'a', undefined, info), poll(8, 'a@0'), poll(9, '', { final: true })]
  expect(kindsOf(...seen)).toEqual(['lost-write'])
})

test('lost-write: the final read lacks an acknowledged value, even at the end', () => {
  const history = [send(1, 'a', 0), send(1, 'b', 1), poll(8, 'a@0 b@1')]
  expect(kindsOf(...history, poll(9, 'a@0', { final: true }))).toEqual(['lost-write'])
  expect(kindsOf(...history, poll(9, 'a@0 b@1', { final: true }))).toEqual([])
})

test('allowed: a doubtful or refused send that nobody ever saw', () => {
  const doubtful = send(1, 'a', undefined, { type: 'info' })
  const refused = send(1, 'b', undefined, { type: 'fail' })
  const open = send(2, 'c', undefined, { type: 'invoke' })
  expect(kindsOf(doubtful, refused, open, send(3, 'd', 0), poll(9, 'd@0'))).toEqual([])
})

test('unseen: acknowledged, beyond what anybody read', () => {
  expect(kindsOf(send(1, 'a', 0), send(1, 'b', 1), poll(9, 'a@0'))).toEqual(['unseen'])
})

test('unseen: acknowledged without an offset', () => {
  expect(kindsOf(send(1, 'a'), send(1, 'b', 1), poll(9, 'b@1'))).toEqual(['unseen'])
})

test('allowed: gone for good where old records may be gone', () => {
  const history = [send(1, 'a', 0), send(1, 'b', 1), send(1, 'c', 2), poll(9, 'a@0 c@2')]
  expect(checkHistory(history, { forgetful: [P] }).anomalies).toEqual([])
  expect(checkHistory(history).anomalyCounts).toEqual({ 'lost-write': 1, 'int-poll-skip': 1 })
})

test('phantom: a value that nobody sent', () => {
  expect(kindsOf(send(1, 'a', 0), poll(9, 'a@0 ghost@1'))).toEqual(['phantom'])
})

test('allowed: a value is read before its sender hears of it, or without that it ever does', () => {
  const history = [send(1, 'a', undefined, { type: 'invoke' }), poll(9, 'a@0'), send(1, 'a', 0)]
  expect(kindsOf(...history)).toEqual([])
  expect(kindsOf(...history.slice(0, 2))).toEqual([])
})

test('definite-error-visible: refused for good, and there; also for a poll that failed', () => {
  const refused = send(1, 'a', undefined, { type: 'fail' })
  expect(kindsOf(refused, poll(9, 'a@0'))).toEqual(['definite-error-visible'])
  expect(kindsOf(refused, poll(9, 'a@0', { type: 'fail' }))).toEqual(['definite-error-visible'])
})

// --- transactions --------------------------------------------------------------------------------

test('aborted-read: a value of an aborted transaction', () => {
  const aborted = line('transaction', 1, sent(one('a'), one('b')), { type: 'fail' })
  expect(kindsOf(aborted, poll(9, 'b@1'))).toEqual(['aborted-read'])
})

test('allowed: a poll that failed holds it', () => {
  const aborted = line('transaction', 1, sent(one('a')), { type: 'fail' })
  expect(kindsOf(aborted, poll(9, 'a@0', { type: 'fail' }))).toEqual([])
})

test('torn-transaction: one of its values is read past', () => {
  const doubtful = line('transaction', 1, sent(one('a', 0), one('b', 1)), { type: 'info' })
  expect(kindsOf(doubtful, poll(9, 'b@1'))).toEqual(['torn-transaction'])
})

test('allowed: doubtful sends of one call, of which some arrived', () => {
  const doubtful = line('send', 1, sent(one('a'), one('b')), { type: 'info' })
  expect(kindsOf(doubtful, poll(9, 'b@1'))).toEqual([])
})

test('precommitted-read: a transaction reads its own value', () => {
  const transaction = line('transaction', 1, [one('a', 0), polled('a@0')])
  expect(kindsOf(transaction, poll(9, 'a@0'))).toEqual(['precommitted-read'])
})

test('G1c: two transactions read what the other wrote', () => {
  const [first, second] = [
    line('transaction', 1, [one('a', 0, 'p-0'), polled('b@0', 'p-1')]),
    line('transaction', 2, [one('b', 0, 'p-1'), polled('a@0', 'p-0')]),
  ]
  const begun = [first, second].map((end) => ({ ...end, type: 'invoke' as const, steps: [] }))
  const { anomalies } = checkHistory([...begun, first, second])
  expect(anomalies.map(({ kind }) => kind)).toEqual(['G1c'])
  expect(anomalies[0]?.operations).toEqual([first, second])
})

test('allowed: one of two overlapping transactions reads what the other wrote', () => {
  const [first, second] = [
    line('transaction', 1, [one('a', 0, 'p-0')]),
    line('transaction', 2, [one('b', 0, 'p-1'), polled('a@0', 'p-0')]),
  ]
  const begun = [first, second].map((end) => ({ ...end, type: 'invoke' as const, steps: [] }))
  expect(kindsOf(...begun, first, second, line('poll', 9, [polled('b@0', 'p-1')]))).toEqual([])
})

test('allowed: G0, transactions whose values are interleaved in one way here and another way there', () => {
  const [first, second] = [
    line('transaction', 1, [one('a', 0, 'p-0'), one('b', 1, 'p-1')]),
    line('transaction', 2, [one('c', 1, 'p-0'), one('d', 0, 'p-1')]),
  ]
  const begun = [first, second].map((end) => ({ ...end, type: 'invoke' as const, steps: [] }))
  const read = line('poll', 9, [polled('a@0 c@1', 'p-0'), polled('d@0 b@1', 'p-1')])
  expect(kindsOf(...begun, first, second, read)).toEqual([])
})

test('G1c-process: a client reads what it sends only later', () => {
  expect(kindsOf(poll(1, 'a@0'), send(1, 'a', 0))).toEqual(['G1c-process'])
})

test('G1c-realtime: a client reads what another sends only later', () => {
  expect(kindsOf(poll(1, 'a@0'), send(2, 'a', 0))).toEqual(['G1c-realtime'])
})

test('allowed: a poll that failed makes no cycle', () => {
  const failed = poll(1, 'a@0', { type: 'fail' })
  expect(kindsOf(failed, send(1, 'a', 0), poll(9, 'a@0'))).toEqual([])
})

// --- order ---------------------------------------------------------------------------------------

const abc = () => [send(1, 'a', 0), send(1, 'b', 1), send(1, 'c', 2), poll(8, 'a@0 b@1 c@2')]

test('poll-skip and nonmonotonic-poll: between two polls of a client', () => {
  expect(kindsOf(...abc(), poll(9, 'a@0'), poll(9, 'c@2'))).toEqual(['poll-skip'])
  expect(kindsOf(...abc(), poll(9, 'a@0 b@1'), poll(9, 'b@1'))).toEqual(['nonmonotonic-poll'])
})

test('int-poll-skip and int-nonmonotonic-poll: inside of a poll', () => {
  expect(kindsOf(...abc(), poll(9, 'a@0 c@2'))).toEqual(['int-poll-skip'])
  expect(kindsOf(...abc(), poll(9, 'b@1 a@0'))).toEqual(['int-nonmonotonic-poll'])
})

test('a skip says what was skipped', () => {
  const { anomalies } = checkHistory([...abc(), poll(9, 'a@0'), poll(9, 'c@2')])
  expect(anomalies[0]?.text).toBe('process 9 skips 1 ("b"): p-0@2 after 0')
  expect(anomalies[0]?.operations).toHaveLength(2)
})

test('allowed: a client begins anywhere, and gaps that nobody ever saw a value in', () => {
  const history = [send(1, 'a', 0), send(1, 'b', 7), poll(8, 'a@0 b@7'), poll(9, 'b@7')]
  expect(kindsOf(...history)).toEqual([])
})

test('allowed: elsewhere after an assign that moved the partition, not after one that left it', () => {
  const moved = line('assign', 9, [], { rebalanced: [P] })
  const stayed = line('assign', 9, [], { rebalanced: ['p-1'] })
  expect(kindsOf(...abc(), poll(9, 'a@0'), moved, poll(9, 'c@2'))).toEqual([])
  expect(kindsOf(...abc(), poll(9, 'a@0'), stayed, poll(9, 'c@2'))).toEqual(['poll-skip'])
})

test('allowed: inside of a poll during which the partition moved', () => {
  expect(kindsOf(...abc(), poll(9, 'a@0 c@2', { rebalanced: [P] }))).toEqual([])
})

test('allowed: between polls of a subscribed client; inside of one it is not', () => {
  const subscribe = line('subscribe', 9, [])
  expect(kindsOf(...abc(), subscribe, poll(9, 'a@0'), poll(9, 'c@2'))).toEqual([])
  expect(kindsOf(...abc(), subscribe, poll(9, 'a@0 c@2'))).toEqual(['int-poll-skip'])
})

test('allowed: anywhere after a crash, and after a poll that failed', () => {
  const failed = { type: 'fail' } as const
  expect(kindsOf(...abc(), poll(9, 'a@0'), line('crash', 9, []), poll(9, 'c@2'))).toEqual([])
  expect(kindsOf(...abc(), poll(9, 'a@0'), poll(9, 'b@1', failed), poll(9, 'b@1'))).toEqual([])
})

test('nonmonotonic-send: what a client sent later stands before', () => {
  const history = [send(1, 'a', 1), send(1, 'b', 0), poll(9, 'b@0 a@1')]
  expect(kindsOf(...history)).toEqual(['nonmonotonic-send'])
})

test('nonmonotonic-send: also where only a reader knows where the first one stands', () => {
  const history = [send(1, 'a', undefined, { type: 'info' }), send(1, 'b', 0), poll(9, 'b@0 a@1')]
  expect(kindsOf(...history)).toEqual(['nonmonotonic-send'])
})

test('int-nonmonotonic-send: inside of one call; gaps inside are allowed', () => {
  const backwards = line('send', 1, sent(one('a', 1), one('b', 0)))
  expect(kindsOf(backwards, poll(9, 'b@0 a@1'))).toEqual(['int-nonmonotonic-send'])
  const apart = line('send', 1, sent(one('a', 0), one('b', 2)))
  expect(kindsOf(apart, send(2, 'c', 1), poll(9, 'a@0 c@1 b@2'))).toEqual([])
})

test('allowed: sends of two clients, or of one without idempotence, in any order', () => {
  expect(kindsOf(send(1, 'a', 1), send(2, 'b', 0), poll(9, 'b@0 a@1'))).toEqual([])
  const plain = { plain: true }
  const history = [send(1, 'a', 1, plain), send(1, 'b', 0, plain), poll(9, 'b@0 a@1')]
  expect(kindsOf(...history)).toEqual([])
})

test('overlapping sends of a client are ordered by their beginnings, not by their answers', () => {
  const begin = (value: string, id: number) => send(1, value, undefined, { type: 'invoke', id })
  const begun = [begin('a', 1), begin('b', 2)]
  const right = [send(1, 'b', 1, { id: 2 }), send(1, 'a', 0, { id: 1 }), poll(9, 'a@0 b@1')]
  expect(kindsOf(...begun, ...right)).toEqual([])
  const wrong = [send(1, 'b', 0, { id: 2 }), send(1, 'a', 1, { id: 1 }), poll(9, 'b@0 a@1')]
  expect(kindsOf(...begun, ...wrong)).toEqual(['nonmonotonic-send'])
})

// --- measures ------------------------------------------------------------------------------------

test('realtime-lag: how long an offset was known that a poll did not return', () => {
  const begin = { ...poll(9, ''), type: 'invoke' as const, timeMs: 500 }
  const history = [
    { ...send(1, 'a', 0), timeMs: 100 },
    { ...send(1, 'b', 1), timeMs: 200 },
    { ...send(1, 'c', 2), timeMs: 300 },
    begin,
    { ...poll(9, 'a@0'), timeMs: 900 },
  ]
  const { realtimeLag } = checkHistory(history)
  expect(realtimeLag).toEqual({ lagMs: 300, atMs: 500, process: 9, partition: P })
})

test('realtime-lag: an empty poll is as far as the one before; who reads to the end has none', () => {
  const behind = [send(1, 'a', 0), poll(9, 'a@0'), send(1, 'b', 1), poll(8, 'a@0 b@1'), poll(9, '')]
  expect(checkHistory(behind).realtimeLag).toMatchObject({ lagMs: 20, process: 9 })
  expect(checkHistory(behind.slice(0, 2)).realtimeLag).toBeUndefined()
})

test('stuck: what never had an answer', () => {
  const begun = send(1, 'a', undefined, { type: 'invoke' })
  expect(checkHistory([begun, send(2, 'b', 0), poll(9, 'b@0')]).stuck).toEqual([
    { sinceMs: 20, operation: begun },
  ])
})

// --- histories that cannot be ----------------------------------------------------------------------

test('one value sent twice to a partition is refused', () => {
  expect(() => checkHistory([send(1, 'a', 0), send(2, 'a', 1)])).toThrow(
    'operation 1 sends "a" to p-0, as an earlier one did: values tell records apart',
  )
})

test('a process that begins again before it ended needs ids', () => {
  const begun = () => send(1, `${nowMs}`, undefined, { type: 'invoke' })
  expect(() => checkHistory([begun(), begun()])).toThrow('overlapping ones need an id')
})

test('so many findings are listed, the others counted', () => {
  const sends = Array.from({ length: 1200 }, (_, index) => send(1, `${index}`, index))
  const { anomalies, anomalyCounts } = checkHistory(sends)
  expect(anomalies).toHaveLength(1000)
  expect(anomalyCounts).toEqual({ unseen: 1200 })
})
