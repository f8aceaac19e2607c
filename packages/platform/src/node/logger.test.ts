import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { createLogger, type LoggerOptions } from './logger.ts'
import { nodeEnv } from './node-env.ts'

const LOGGER = JSON.stringify(new URL('logger.ts', import.meta.url).href)

async function recording(options: Pick<LoggerOptions, 'level' | 'format'>) {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line) }
  return { logger: await createLogger({ ...options, destination }), lines }
}

test('a JSON line holds time, level, message and the data, and nothing of the machine', async () => {
  const { logger, lines } = await recording({ level: 'info', format: 'json' })
  logger.child({ component: 'log' }).info({ fromEpoch: 1 }, 'became leader')
  logger.debug('not this one')
  expect(lines).toHaveLength(1)
  expect(lines[0]?.endsWith('\n')).toBe(true)
  expect(JSON.parse(lines[0] as string)).toEqual({
    level: 30,
    time: expect.any(Number),
    component: 'log',
    fromEpoch: 1,
    msg: 'became leader',
  })
})

test('children of a logger follow its level', async () => {
  const { logger, lines } = await recording({ level: 'info', format: 'json' })
  const child = logger.child({ component: 'log' })
  const grandchild = child.child({ partition: 3 })
  child.debug('not this one')
  logger.level = 'debug'
  child.debug('of the child')
  grandchild.debug('of the grandchild')
  logger.level = 'error'
  child.warn('nor this one')
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['of the child', 'of the grandchild'])
})

test('a pretty line is made for people', async () => {
  const { logger, lines } = await recording({ level: 'info', format: 'pretty' })
  logger.info({ topic: 'orders', partition: 3 }, 'became leader')
  expect(lines.join('')).toMatch(
    /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: became leader \{"topic":"orders","partition":3\}\n$/,
  )
})

test('no value of a pretty line gives orders to the terminal', async () => {
  const { logger, lines } = await recording({ level: 'info', format: 'pretty' })
  const evil = '\x1b]0;owned\x07\x1b[2Jclient\r\x9b1m'
  logger.info({ clientId: evil, list: [evil], err: new Error(evil) }, `hello ${evil}`)
  const text = lines.join('')
  expect(text).toContain('hello client')
  expect(text).toContain('"clientId":"client')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: to have none is the point.
  expect(text).not.toMatch(/[\0-\x08\x0b-\x1f\x7f-\x9f]/)
})

test('the stack of an error stands in a pretty line', async () => {
  const { logger, lines } = await recording({ level: 'info', format: 'pretty' })
  logger.error({ err: new Error('broken') }, 'while stopping')
  expect(lines.join('')).toContain('Error: broken')
  expect(lines.join('')).toContain('logger.test.ts')
})

test.each(['json', 'pretty'] as const)(
  '%s lines that wait are written at the exit, however it comes',
  async (format) => {
    for (const end of ['process.exit(0)', 'setTimeout(() => { throw new Error("boom") })', '']) {
      const script = `
      const { createLogger } = await import(${LOGGER})
      const logger = await createLogger({ level: 'info', format: '${format}', destination: 'stdout' })
      for (let number = 1; number <= 500; number++) logger.info({ number }, 'line')
      ${end}`
      const flags = ['--import', 'tsx', '--input-type=module', '-e', script]
      const { stdout } = await promisify(execFile)(process.execPath, flags).catch((error) => error)
      expect(stdout.trim().split('\n')).toHaveLength(500)
    }
  },
)

test('an Env has the logger that it was given, else one that warns', () => {
  const given = nodeEnv().logger
  expect(given.level).toBe('warn')
  expect(nodeEnv({ logger: given }).logger).toBe(given)
  const env = nodeEnv()
  expect(env.logger).toBe(env.logger)
})
