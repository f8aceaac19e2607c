import { expect, test } from 'vitest'
import { VERSION } from '../../version.ts'
import { diskFinding, filesFinding } from './doctor-broker.ts'
import { clockFinding, nodeFinding, versionFinding } from './doctor-process.ts'

const process = {
  ...{ brokerId: 1, version: VERSION, nodeVersion: '22.0.0', platform: 'linux' },
  ...{ timeMs: 1_000_000, uptimeMs: 1, rssBytes: 1, heapUsedBytes: 1 },
  ...{ openFiles: 50, openFilesMax: 100_000 },
}
const settings = (values: Record<string, string>) => (name: string) => values[name]

test.each([
  [1_000_000, 1_000_000, 'ok'],
  [999_800, 1_000_100, 'ok'],
  // As far apart, but a slow answer explains it.
  [997_000, 1_000_000, 'ok'],
  [998_000, 998_010, 'warning'],
  [1_040_000, 1_040_010, 'problem'],
] as const)('a clock read between %i and %i is %s', (sentMs, answeredMs, state) => {
  expect(clockFinding(process, sentMs, answeredMs)).toMatchObject({ state })
})

const GIB = 2 ** 30
const dir = { brokerId: 1, path: '/data', totalBytes: 100 * GIB, topics: [] }

test.each([
  [50 * GIB, 'ok'],
  [5 * GIB, 'warning'],
  [GIB / 2, 'problem'],
] as const)('%i bytes free of 100 GiB are %s', (usableBytes, state) => {
  // -1 is the default: 5 % of the disk, at most 1 GiB.
  for (const bytes of [String(GIB), '-1'])
    expect(
      diskFinding({ ...dir, usableBytes }, settings({ 'disk.reserve.bytes': bytes })),
    ).toMatchObject({ state })
})

test('a broker that does not tell the room on its disk is no problem', () => {
  const silent = { ...dir, totalBytes: -1, usableBytes: -1 }
  expect(diskFinding(silent, settings({}))).toMatchObject({ state: 'ok' })
})

test('a directory that is offline is a problem', () => {
  const broken = { ...dir, totalBytes: -1, usableBytes: -1, error: 'EIO: i/o error' }
  expect(diskFinding(broken, settings({}))).toMatchObject({
    state: 'problem',
    what: 'broker 1 cannot use /data: EIO: i/o error',
  })
})

test.each([
  [50, 100_000, 'ok'],
  [50, 1024, 'warning'],
  [1000, 1024, 'problem'],
] as const)('%i of %i file descriptors are %s', (openFiles, openFilesMax, state) => {
  const values = settings({ 'max.connections': '10000', 'log.files.open.max': '5000' })
  const finding = filesFinding({ ...process, openFiles, openFilesMax }, values)
  expect(finding).toMatchObject({ state })
  if (state !== 'ok') expect(finding.todo).toContain('15064')
})

test.each([
  ['20.20.2', 'ok'],
  ['v22.1.0', 'ok'],
  ['23.1.0', 'warning'],
  ['20.18.0', 'problem'],
  ['18.20.0', 'problem'],
])('Node.js %s is %s', (version, state) => {
  expect(nodeFinding('broker 1', version)).toMatchObject({ state })
})

test('another version is a warning', () => {
  expect(versionFinding(process)).toMatchObject({ state: 'ok' })
  expect(versionFinding({ ...process, version: '9.9.9' })).toMatchObject({ state: 'warning' })
})
