import { expect, test } from 'vitest'
import { DiskError } from './env.ts'
import { isNoSpace } from './no-space.ts'

test('a full file system and a used-up quota are both a want of space, nothing else is', () => {
  const codes = ['ENOSPC', 'EDQUOT', 'EIO', 'EMFILE']
  expect(codes.map((code) => isNoSpace(new DiskError(code, 'told to')))).toEqual([
    true,
    true,
    false,
    false,
  ])
  expect(isNoSpace(Object.assign(new Error('of a socket'), { code: 'ENOSPC' }))).toBe(false)
  expect(isNoSpace(undefined)).toBe(false)
})
