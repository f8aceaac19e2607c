import { nodeEnv } from '@minikafka/platform'
import { expect, test } from 'vitest'
import { Events } from './emitter.ts'

type Sample = { grew: number }

function events() {
  return new Events<Sample>(nodeEnv().logger.child({}, { level: 'silent' }))
}

test('listeners are called in order, until they unsubscribe', () => {
  const emitter = events()
  const seen: string[] = []
  const stop = emitter.on('grew', (size) => seen.push(`a${size}`))
  emitter.on('grew', (size) => seen.push(`b${size}`))
  expect(emitter.emit('grew', 1)).toBe(true)
  stop()
  emitter.emit('grew', 2)
  expect(seen).toEqual(['a1', 'b1', 'b2'])
})

test('one function that listens twice is two listeners', () => {
  const emitter = events()
  let count = 0
  const listener = () => count++
  const stop = emitter.on('grew', listener)
  emitter.on('grew', listener)
  stop()
  emitter.emit('grew', 1)
  expect(count).toBe(1)
})

test('a listener that throws stops neither the others nor the emitter', () => {
  const emitter = events()
  let called = false
  emitter.on('grew', () => {
    throw new Error('of the user')
  })
  emitter.on('grew', () => {
    called = true
  })
  expect(emitter.emit('grew', 1)).toBe(true)
  expect(called).toBe(true)
})

test('emit says when nobody listens', () => {
  expect(events().emit('grew', 1)).toBe(false)
})
