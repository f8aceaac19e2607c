import { expect, test } from 'vitest'
import { withoutSecret } from './secrets.ts'

const hidden = (name: string, value: string | null) =>
  withoutSecret({ name, value, origin: 'file', readOnly: true, about: '' }).value

test('secrets are hidden by their names, and in addresses', () => {
  expect(hidden('sasl.password', 'hunter2')).toBe('(hidden)')
  expect(hidden('etcd.token', 'abc')).toBe('(hidden)')
  expect(hidden('tls.private.key', '-----BEGIN')).toBe('(hidden)')
  expect(hidden('cluster', 'etcd://ops:hunter2@h:2379,etcd://ops:hunter2@i:2379/p')).toBe(
    'etcd://(hidden)@h:2379,etcd://(hidden)@i:2379/p',
  )
})

test('what is no secret stays', () => {
  expect(hidden('flush', 'group')).toBe('group')
  expect(hidden('sasl.password.file', '/etc/p')).toBe('/etc/p')
  expect(hidden('cluster', 'etcd://h:2379/a@b')).toBe('etcd://h:2379/a@b')
  expect(hidden('sasl.password', null)).toBeNull()
})
