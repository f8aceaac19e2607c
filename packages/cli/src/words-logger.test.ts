import { type Env, nodeEnv } from '@minikafka/client'
import { expect, test } from 'vitest'
import { wordsLogger } from './words-logger.ts'

function loggerOf(level: Parameters<typeof wordsLogger>[1]) {
  const lines: string[] = []
  const { program, ...env } = nodeEnv()
  const write = async (text: string | Uint8Array) => void lines.push(String(text))
  const stderr = { isTTY: false, columns: 80, rows: 24, stream: program.stderr.stream, write }
  const kept: Env = { ...env, program: { ...program, stderr } }
  return { lines, logger: wordsLogger(kept, level) }
}

test('a line has the level, the message, the fields and what went wrong', () => {
  const { lines, logger } = loggerOf('warn')
  logger.warn({ topic: 'orders', partition: 3, err: new Error('no space') }, 'not written')
  logger.child({ component: 'x' }).error('plain')
  expect(lines).toEqual([
    'warn: not written topic=orders partition=3: no space\n',
    'error: plain\n',
  ])
})

test('what is below the level is not said', () => {
  const { lines, logger } = loggerOf('info')
  logger.debug({}, 'small')
  logger.info({ name: 'a\u001bb' }, 'large')
  loggerOf('silent').logger.fatal({}, 'never')
  logger.child({}, { level: 'silent' }).fatal('never')
  logger.child({}, { level: 'error' }).warn('never')
  expect(lines).toEqual(['info: large name=a\\x1bb\n'])
})
