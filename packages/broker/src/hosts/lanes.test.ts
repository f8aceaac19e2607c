import { expect, test } from 'vitest'
import { type Asker, Lanes, type Order, type Room } from './lanes.ts'

type Step = { readonly name: string; readonly writes: boolean }

/** Lanes over a log that commits when the test says so. */
class Stage {
  readonly begun: string[] = []
  readonly answered: string[] = []
  readonly room: Room = { waiting: 0, waitingMax: 100 }
  readonly #commits = new Map<string, { resolve(): void; reject(error: Error): void }>()
  readonly lanes = new Lanes<Step, string>(({ name, writes }) => {
    this.begun.push(name)
    if (!writes) return { response: name, committed: undefined }
    const committed = new Promise<void>((resolve, reject) => {
      this.#commits.set(name, { resolve, reject })
    })
    return { response: name, committed }
  }, this.room)

  ask(name: string, order: Order, { writes = true, key = 'g', asker = anyone() } = {}) {
    const answer = this.lanes.run(key, order, { name, writes }, asker)
    const settled = Promise.resolve(answer).then(
      (text) => this.answered.push(text),
      (error: Error) => this.answered.push(`${name}: ${error.message}`),
    )
    return { isAtOnce: !(answer instanceof Promise), settled }
  }

  async commit(...names: string[]): Promise<void> {
    for (const name of names) this.#commits.get(name)?.resolve()
    await turns()
  }

  async refuse(name: string): Promise<void> {
    this.#commits.get(name)?.reject(new Error('refused'))
    await turns()
  }
}

function anyone(): Asker & { gone: boolean } {
  return { gone: false, begun() {} }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await undefined
}

test('what writes nothing is answered at once where nothing is in the way', () => {
  const stage = new Stage()
  expect(stage.ask('a', 'alone', { writes: false }).isAtOnce).toBe(true)
  expect(stage.lanes.busyCount).toBe(0)
})

test('one write of a key after the other, in the order of arrival; other keys do not wait', async () => {
  const stage = new Stage()
  for (const name of ['a', 'b', 'c']) stage.ask(name, 'alone')
  stage.ask('other', 'alone', { key: 'h' })
  expect(stage.begun).toEqual(['a', 'other'])
  await stage.commit('a')
  expect(stage.begun).toEqual(['a', 'other', 'b'])
  await stage.refuse('b')
  expect(stage.answered).toEqual(['a', 'b: refused'])
  expect(stage.begun).toEqual(['a', 'other', 'b', 'c'])
  await stage.commit('c', 'other')
  expect([stage.lanes.busyCount, stage.room.waiting]).toEqual([0, 0])
})

test('even what writes nothing waits for the write before it', async () => {
  const stage = new Stage()
  stage.ask('a', 'alone')
  stage.ask('look', 'alone', { writes: false })
  expect(stage.begun).toEqual(['a'])
  await stage.commit('a')
  expect(stage.answered).toEqual(['a', 'look'])
})

test('any number of commits are in flight, and none passes the membership write before it', async () => {
  const stage = new Stage()
  stage.ask('commit-1', 'beside')
  stage.ask('commit-2', 'beside')
  stage.ask('fence', 'alone')
  expect(stage.begun).toEqual(['commit-1', 'commit-2', 'fence'])
  stage.ask('commit-3', 'beside')
  await stage.commit('commit-1')
  expect(stage.begun).not.toContain('commit-3')
  await stage.commit('fence')
  expect(stage.begun).toContain('commit-3')
})

test('a deletion waits for the commits in flight, and what comes later waits for it', async () => {
  const stage = new Stage()
  stage.ask('commit-1', 'beside')
  stage.ask('delete', 'last')
  stage.ask('commit-2', 'beside')
  stage.ask('join', 'alone')
  expect(stage.begun).toEqual(['commit-1'])
  await stage.commit('commit-1')
  expect(stage.begun).toEqual(['commit-1', 'delete'])
  await stage.commit('delete')
  expect(stage.begun).toEqual(['commit-1', 'delete', 'commit-2', 'join'])
})

test('who is gone is passed over, unless its write was begun', async () => {
  const stage = new Stage()
  const [first, second] = [anyone(), anyone()]
  stage.ask('a', 'alone', { asker: first })
  stage.ask('b', 'alone', { asker: second })
  stage.ask('c', 'alone')
  first.gone = true
  second.gone = true
  stage.ask('d', 'alone')
  expect(stage.begun).toEqual(['a'])
  await stage.commit('a')
  expect(stage.begun).toEqual(['a', 'c'])
})

test('too many that wait are refused, those of the broker itself are not', async () => {
  const stage = new Stage()
  const one = { room: { waiting: 0, waitingMax: 1 } }
  const lanes = new Lanes<string, string>(
    (response) => ({ response, committed: new Promise(() => {}) }),
    one.room,
  )
  void lanes.run('g', 'alone', 'a', anyone())
  void lanes.run('g', 'alone', 'b', anyone())
  expect(() => lanes.run('g', 'alone', 'c', anyone())).toThrow(
    expect.objectContaining({ name: 'THROTTLING_QUOTA_EXCEEDED' }),
  )
  expect(() => lanes.run('g', 'alone', 'tick')).not.toThrow()
  expect(stage.room.waiting).toBe(0)
})

test('when it is over, those who wait hear it', async () => {
  const stage = new Stage()
  stage.ask('a', 'alone')
  const { settled } = stage.ask('b', 'alone')
  stage.lanes.dropWaiting(new Error('over'))
  await settled
  expect(stage.answered).toEqual(['b: over'])
  await stage.commit('a')
  expect([stage.begun, stage.room.waiting]).toEqual([['a'], 0])
})
