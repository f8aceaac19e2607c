// minikafka group seek: sends a group that nobody is in elsewhere.
// Enters: a point, a shift, another group, or a file. Leaves: what was committed and what is now, a row each.
import type { NextOffset, ResetOffset, ResetOffsets } from '@minikafka/client'
import { confirm } from '../confirm.ts'
import { EXIT, Failure } from '../failures.ts'
import { parsePoint } from '../grammar/offsets.ts'
import { reachBroker } from '../reach.ts'
import type { Session } from '../session.ts'
import { type Column, printRows } from '../table.ts'
import { UsageError } from '../usage-error.ts'
import { specOf } from './consume-targets.ts'
import { readPlaces } from './group-places.ts'
import { lagColumns } from './group-words.ts'

export type SeekOptions = {
  to?: string
  toGroup?: string
  toFile?: string
  topics?: string
  dryRun?: boolean
}

export async function groupSeek(
  session: Session,
  group: string,
  options: SeekOptions,
): Promise<void> {
  const given = [options.to, options.toGroup, options.toFile].filter((one) => one !== undefined)
  if (given.length !== 1)
    throw new UsageError('say where to: one of --to, --to-group and --to-file')
  const topics = options.topics?.split(',').filter(Boolean)
  await reachBroker(session)
  const to = await targetOf(session, group, options, topics)
  const wanted = { ...(topics === undefined ? {} : { topics }), to }
  const plan = await session.ask(
    session.admin.resetOffsets(group, { ...wanted, dryRun: true }, session.wait),
  )
  if (plan.length === 0) throw new Failure(nothingToMove(group), EXIT.notFound)
  if (options.dryRun) return print(session, plan)
  await confirm(session, `Send group '${group}' elsewhere in ${plan.length} partitions?`)
  // What was shown is what is done, whatever was written meanwhile.
  const places = plan.map(({ topic, partition, nextOffset }) => ({ topic, partition, nextOffset }))
  const done = await session.admin.resetOffsets(group, { to: places }, session.wait)
  await print(session, done)
}

function nothingToMove(group: string): string {
  return `group '${group}' has committed nothing there: name the topics with --topics`
}

async function targetOf(
  session: Session,
  group: string,
  { to, toGroup, toFile }: SeekOptions,
  topics: readonly string[] | undefined,
): Promise<ResetOffsets['to']> {
  const isWanted = ({ topic }: NextOffset) => topics === undefined || topics.includes(topic)
  if (toFile !== undefined) return (await readPlaces(session, toFile)).filter(isWanted)
  if (toGroup !== undefined) return (await placesOf(session, toGroup)).filter(isWanted)
  return pointOf(session, group, to ?? '')
}

async function placesOf(session: Session, group: string): Promise<NextOffset[]> {
  const lags = await session.ask(session.admin.lag(group, session.wait))
  return lags.flatMap(({ topic, partition, committed }) =>
    committed === undefined ? [] : [{ topic, partition, nextOffset: committed }],
  )
}

function pointOf(session: Session, group: string, text: string): ResetOffsets['to'] {
  const shift = /^shift:([+-]?\d{1,15})$/.exec(text)
  if (shift !== null) return { shift: Number(shift[1]) }
  if (text.startsWith('shift:')) throw new UsageError(`--to ${text}: expected shift:+N or shift:-N`)
  const point = parsePoint(text, session.env.clock.wallMs())
  if (point.at === 'committed')
    throw new UsageError(`--to committed: group '${group}' stands there already`)
  if (point.at === 'offset') return point.offset
  const spec = specOf(point)
  if (spec === undefined)
    throw new UsageError(`--to ${text}: not from the start; use N, -N, @TIME or shift:±N`)
  return spec
}

function print(session: Session, rows: readonly ResetOffset[]): Promise<void> {
  const next: Column<ResetOffset> = {
    title: 'NEXT',
    of: ({ nextOffset }) => String(nextOffset),
    right: true,
  }
  const [topic, partition, committed, ...others] = lagColumns<ResetOffset>()
  const columns = [topic, partition, committed, next, ...others].filter(
    (column): column is Column<ResetOffset> => column !== undefined,
  )
  return printRows(session, rows, columns, (row) => row)
}
