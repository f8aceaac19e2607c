import { expect, test } from 'vitest'
import { fileName } from './bundle.ts'

test('the id of a cluster is a part of a name, and no path', () => {
  const name = fileName('../../etc/x', 1_767_225_600_000)
  expect(name).toBe('minikafka-debug-______etc_x-20260101T000000Z.json')
})
