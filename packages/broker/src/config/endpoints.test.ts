import { expect, test } from 'vitest'
import { advertisedAddresses, listenerSpecs } from './endpoints.ts'
import { resolveConfig } from './layers.ts'

const valuesOf = (entries: Record<string, string>) =>
  resolveConfig({ flags: new Map(Object.entries(entries)) }).values

test('one listener `default` at host and port, or those that are named', () => {
  expect(listenerSpecs(valuesOf({ port: '0' }))).toEqual([
    { name: 'default', bind: { host: '127.0.0.1', port: 0 } },
  ])
  expect(
    listenerSpecs(valuesOf({ listeners: 'inside=127.0.0.1:9092,outside=[::1]:9093' })),
  ).toEqual([
    { name: 'inside', bind: { host: '127.0.0.1', port: 9092 } },
    { name: 'outside', bind: { host: '::1', port: 9093 } },
  ])
})

test('beyond loopback only with allow.insecure', () => {
  expect(() => listenerSpecs(valuesOf({ host: '0.0.0.0' }))).toThrow(/allow.insecure=true/)
  expect(listenerSpecs(valuesOf({ host: '0.0.0.0', 'allow.insecure': 'true' }))).toHaveLength(1)
})

test('a listener or address that is not one is named', () => {
  expect(() => listenerSpecs(valuesOf({ listeners: 'a=b' }))).toThrow(
    /expected name=host:port, not "a=b"/,
  )
  expect(() => listenerSpecs(valuesOf({ listeners: 'a=127.0.0.1:1,a=127.0.0.1:2' }))).toThrow(
    /each name may stand once/,
  )
  expect(() => advertisedAddresses(valuesOf({ advertised: 'host:99999' }))).toThrow(
    /expected name=host:port/,
  )
})

test('an advertised address without a name is that of `default`', () => {
  expect(
    advertisedAddresses(valuesOf({ advertised: 'kafka.example:9092' })).get('default'),
  ).toEqual({
    host: 'kafka.example',
    port: 9092,
  })
  expect(advertisedAddresses(valuesOf({})).size).toBe(0)
})
