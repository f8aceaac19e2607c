import { expect, test } from 'vitest'
import { InvalidConfig } from './invalid-config.ts'
import { assignorNames, difference, flagName, resolveConfig, variableName } from './layers.ts'
import { LiveConfig } from './live.ts'
import { parseValue } from './parse.ts'
import { MiB } from './setting-rows.ts'
import { settingNames, settingRow } from './settings.ts'

const map = (entries: Record<string, string>) => new Map(Object.entries(entries))

test('a flag goes before a variable, a variable before the file, the file before a dynamic value', () => {
  const layers = {
    flags: map({ port: '1' }),
    environment: { MINIKAFKA_PORT: '2', MINIKAFKA_RACK: 'b' },
    file: map({ port: '3', rack: 'c', 'num.partitions': '7' }),
    dynamic: map({ 'num.partitions': '8', 'max.connections': '9' }),
  }
  const { values, origins } = resolveConfig(layers)
  expect([values.port, values.rack, values['num.partitions'], values['max.connections']]).toEqual([
    1,
    'b',
    7,
    9,
  ])
  expect([origins.get('port'), origins.get('rack'), origins.get('num.partitions')]).toEqual([
    'flag',
    'environment',
    'file',
  ])
  expect(origins.get('flush')).toBe('default')
})

test('an unknown flag or key stops the start and names the nearest', () => {
  expect(() => resolveConfig({ flags: map({ prot: '1' }) })).toThrow(
    /unknown flag "prot": did you mean port\?/,
  )
  expect(() => resolveConfig({ file: map({ 'log.segmnt.bytes': '1' }) })).toThrow(
    /did you mean log.segment.bytes\?/,
  )
})

test("an unknown variable warns; Kubernetes' own are ignored", () => {
  const environment = {
    MINIKAFKA_PROT: '1',
    MINIKAFKA_PORT: 'tcp://10.0.0.1:9092',
    MINIKAFKA_SERVICE_HOST: 'x',
  }
  const { values, warnings } = resolveConfig({ environment })
  expect(values.port).toBe(9092)
  expect(warnings).toEqual(['unknown variable MINIKAFKA_PROT: did you mean MINIKAFKA_PORT?'])
})

test('values take units, and errors say what was expected', () => {
  const { values } = resolveConfig({
    flags: map({ 'log.segment.bytes': '64MiB', 'log.retention.ms': '7d', flush: 'os' }),
  })
  expect(values['log.segment.bytes']).toBe(64 * 1024 ** 2)
  expect(values['log.retention.ms']).toBe(604_800_000)
  expect(values.flush).toBe('os')
  expect(() => resolveConfig({ flags: map({ port: '70000' }) })).toThrow(
    /port \(flag\): expected an integer, 0 to 65535.*not "70000"/,
  )
  expect(() => resolveConfig({ flags: map({ flush: 'never' }) })).toThrow(
    /one of group, interval, os/,
  )
  expect(() => resolveConfig({ flags: map({ 'log.retention.ms': '-2' }) })).toThrow(InvalidConfig)
  expect(
    resolveConfig({ flags: map({ 'log.retention.ms': '-1' }) }).values['log.retention.ms'],
  ).toBe(-1)
})

test.each(['1e99', 'abc', '', '0x10', '١٢', '9'.repeat(40)])(
  'a number written as %j is refused',
  (text) => {
    expect(parseValue(settingRow('port'), text)).toHaveProperty('error')
  },
)

test('a frame must hold the largest batch', () => {
  const flags = map({ 'message.max.bytes': '15MiB', 'socket.request.max.bytes': '15MiB' })
  expect(() => resolveConfig({ flags })).toThrow(/at least message.max.bytes \+ 64 KiB/)
})

test('every default is accepted by its own row, and flags and variables are one to one', () => {
  for (const name of settingNames) {
    expect(parseValue(settingRow(name), String(settingRow(name).default)), name).toEqual({
      value: settingRow(name).default,
    })
  }
  expect(new Set(settingNames.map(flagName)).size).toBe(settingNames.length)
  expect(new Set(settingNames.map(variableName)).size).toBe(settingNames.length)
  expect([flagName('log.level'), variableName('log.level')]).toEqual([
    '--log-level',
    'MINIKAFKA_LOG_LEVEL',
  ])
})

test('a file read again applies what is dynamic and names what takes a restart', () => {
  const config = new LiveConfig({ file: map({ port: '1' }) })
  const changes: string[][] = []
  config.onChange((changed) => changes.push([...changed]))
  expect(config.setFile(map({ port: '2', 'log.level': 'debug' }))).toEqual(['port'])
  expect([config.values.port, config.values['log.level']]).toEqual([1, 'debug'])
  expect(changes).toEqual([['log.level']])
  expect(difference(config.values, config.values)).toEqual({ now: [], restart: [] })
})

test('a dynamic value that cannot be used is left out and named; the others apply', () => {
  const config = new LiveConfig({})
  const refused = config.setDynamic(map({ port: '1', 'num.partitions': '4', 'no.such': '1' }))
  expect(refused).toHaveLength(2)
  expect([config.values.port, config.values['num.partitions']]).toEqual([9092, 4])
})

test('a dynamic value that does not go with a flag is left out and named', () => {
  const config = new LiveConfig({ flags: map({ 'socket.request.max.bytes': '2MiB' }) })
  const refused = config.setDynamic(map({ 'message.max.bytes': '4MiB', 'num.partitions': '4' }))
  expect(refused).toEqual([expect.stringContaining('at least message.max.bytes + 64 KiB')])
  expect([config.values['message.max.bytes'], config.values['num.partitions']]).toEqual([MiB, 4])
  expect(() => config.checkDynamic('message.max.bytes', '4MiB')).toThrow(/at least/)
  expect(() => config.checkDynamic('advertised', 'nowhere')).toThrow(/expected name=host:port/)
  expect(() => config.checkDynamic('port', '1')).toThrow(/takes a restart/)
  config.checkDynamic('message.max.bytes', '1MiB')
})

test('any port is taken instead of the one that was set, and the file may still be read again', () => {
  const config = new LiveConfig({ file: map({ port: '9092' }) })
  config.takeAnyPort()
  expect(config.setFile(map({ port: '9092', 'log.level': 'debug' }))).toEqual([])
  expect([config.values.port, config.values['log.level']]).toEqual([0, 'debug'])
})

test('assignors are named in the order of preference, and a wrong one stops the start', () => {
  const flags = (text: string) => ({ flags: map({ 'group.consumer.assignors': text }) })
  expect(assignorNames(resolveConfig(flags('range, uniform')).values)).toEqual(['range', 'uniform'])
  expect(() => resolveConfig(flags('stiky'))).toThrow(/did you mean sticky\?/)
  expect(() => resolveConfig(flags(','))).toThrow(/expected some of/)
})
