import { expect, test } from 'vitest'
import { Coalesced } from './coalesced.ts'

/** Work whose runs end when the test says so. */
function held() {
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = []
  const work = new Coalesced(
    () => new Promise<void>((resolve, reject) => ends.push({ resolve, reject })),
  )
  return { work, ends }
}

test('who asks while a run is under way shares the next one', async () => {
  const { work, ends } = held()
  const settled: string[] = []
  const ask = (name: string) => work.run().then(() => settled.push(name))
  const first = ask('first')
  const others = [ask('second'), ask('third')]
  expect(ends).toHaveLength(1)
  ends[0]?.resolve()
  await first
  expect(settled).toEqual(['first'])
  expect(ends).toHaveLength(2)
  ends[1]?.resolve()
  await Promise.all(others)
  expect(ends).toHaveLength(2)
})

test('a failed run fails those it was for, and the next one is tried', async () => {
  const { work, ends } = held()
  const first = work.run()
  const second = work.run()
  ends[0]?.reject(new Error('full'))
  await expect(first).rejects.toThrow('full')
  ends[1]?.resolve()
  await second
})

test('idle waits for all runs, and hears no errors', async () => {
  const { work, ends } = held()
  const runs = [work.run(), work.run()]
  let idle = false
  const waiting = work.idle().then(() => {
    idle = true
  })
  ends[0]?.reject(new Error('full'))
  await expect(runs[0]).rejects.toThrow('full')
  expect(idle).toBe(false)
  ends[1]?.resolve()
  await Promise.all([runs[1], waiting])
  expect(idle).toBe(true)
})
