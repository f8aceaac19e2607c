import { expect, test } from 'vitest'
import { atOnce } from './at-once.ts'

test('no more run at once than allowed, and all are done', async () => {
  let running = 0
  let most = 0
  const done: number[] = []
  await atOnce(3, [1, 2, 3, 4, 5, 6, 7], async (item) => {
    most = Math.max(most, ++running)
    await undefined
    running--
    done.push(item)
  })
  expect(most).toBe(3)
  expect(done).toEqual([1, 2, 3, 4, 5, 6, 7])
})

test('after an error nothing is begun, and it is told when nothing runs any more', async () => {
  const began: number[] = []
  let ended = 0
  const work = async (item: number) => {
    began.push(item)
    await undefined
    if (item === 1) throw new Error('the first')
    await undefined
    await undefined
    ended++
    if (item === 2) throw new Error('the second')
  }
  await expect(atOnce(3, [1, 2, 3, 4, 5, 6, 7], work)).rejects.toThrow('the first')
  expect(began).toEqual([1, 2, 3])
  expect(ended).toBe(2)
})
