// minikafka top: rates of topics and groups, again and again. Leaves: two tables a look, or a JSON object.
import { Failure, Interrupted } from '../../failures.ts'
import { parseDuration } from '../../grammar/duration.ts'
import { positive } from '../../grammar/number.ts'
import { plain, wrap } from '../../plain-text.ts'
import { persist, reachBroker } from '../../reach.ts'
import type { Session } from '../../session.ts'
import { sleep } from '../../sleep.ts'
import { bytesText, type Column, lineWidth, printRows } from '../../table.ts'
import { durationText } from '../group-words.ts'
import type { Finding } from '../health/finding.ts'
import { look } from './look.ts'
import { type GroupRate, groupRates, type TopicRate, topicRates } from './rates.ts'

export type TopOptions = { count?: string; interval?: string; rows?: string; internal?: boolean }

const INTERVAL = '2s'
const ROWS = 20
/** The head, the titles of two tables, blank lines, the cursor. */
const OTHER_LINES = 6
/** To the upper left, and all below is wiped. */
const HOME = '\u001b[H\u001b[J'

export async function top(session: Session, options: TopOptions): Promise<void> {
  const { count, interval = INTERVAL, rows, internal = false } = options
  const countMax = count === undefined ? Number.POSITIVE_INFINITY : positive('-n', count)
  const intervalMs = Math.max(1, parseDuration(interval))
  const rowsMax = rows === undefined ? undefined : positive('--rows', rows)
  await reachBroker(session)
  const isDrawn = session.env.program.stdout.isTTY && !session.wantsJson
  if (isDrawn) await session.say(`rates over ${interval} …`)
  let shown = 0
  try {
    const isEndless = count === undefined
    const sight = () => look(session, internal)
    let before = await sight()
    for (; shown < countMax; shown++) {
      await sleep(session.env, intervalMs, session.signal)
      const now = isEndless ? await persist(session, sight) : await sight()
      const seconds = (now.atMs - before.atMs) / 1000
      const topics = topicRates(before, now)
      const groups = groupRates(before, now)
      const { disks } = now
      await show(session, { seconds, topics, groups, disks, rowsMax, isFirst: shown === 0 })
      before = now
    }
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error
    if (Number.isFinite(countMax))
      throw new Failure(`stopped before the end: ${shown} of ${countMax} looks`)
  }
}

type Shown = {
  readonly seconds: number
  readonly topics: readonly TopicRate[]
  readonly groups: readonly GroupRate[]
  readonly disks: readonly Finding[]
  /** undefined: as many as there is room for. */
  readonly rowsMax: number | undefined
  readonly isFirst: boolean
}

async function show(session: Session, shown: Shown) {
  const { seconds, topics, groups, disks, isFirst } = shown
  const at = new Date(session.env.clock.wallMs()).toISOString()
  const trouble = troubleOf(session, disks)
  const [topicsMax, groupsMax] = shares(session, shown, trouble.length)
  const busiest = { topics: topics.slice(0, topicsMax), groups: groups.slice(0, groupsMax) }
  if (session.wantsJson) {
    const text = JSON.stringify(
      { at, seconds, ...busiest, disks },
      null,
      session.output === 'json' ? 2 : 0,
    )
    return session.print(`${text}\n`)
  }
  if (session.env.program.stdout.isTTY) await session.print(HOME)
  else if (!isFirst) await session.print('\n')
  await session.print(headOf(at, topics, groups))
  for (const line of trouble) await session.print(`${line}\n`)
  await session.print('\n')
  await printRows(session, busiest.topics, TOPIC_COLUMNS, (row) => row)
  if (groups.length === 0) return
  await session.print('\n')
  await printRows(session, busiest.groups, GROUP_COLUMNS, (row) => row)
}

/** Rows of topics and of groups. A terminal would scroll away what it has no room for. */
function shares(
  { env, wantsJson }: Session,
  shown: Shown,
  troubleLines: number,
): readonly [topics: number, groups: number] {
  const { stdout } = env.program
  const { rowsMax } = shown
  const topics = shown.topics.length
  const groups = shown.groups.length
  if (rowsMax !== undefined) return [rowsMax, rowsMax]
  if (wantsJson || !stdout.isTTY) return [ROWS, ROWS]
  const lines = Math.max(2, stdout.rows - OTHER_LINES - troubleLines)
  // What one of them does not need the other may have.
  const half = Math.floor(lines / 2)
  const forGroups = Math.min(groups, Math.max(half, lines - topics))
  return [lines - forGroups, forGroups]
}

/** Who wonders why nothing is written any more finds it here. */
function troubleOf(session: Session, disks: readonly Finding[]): string[] {
  return disks.flatMap(({ state, what }) =>
    state === 'ok' ? [] : wrap(plain(`${state}: ${what}`), lineWidth(session)),
  )
}

function headOf(at: string, topics: readonly TopicRate[], groups: readonly GroupRate[]): string {
  const total = topics.reduce((sum, { recordsPerSecond }) => sum + recordsPerSecond, 0)
  const lag = groups.reduce((sum, one) => sum + one.lag, 0)
  const time = at.slice(11, 19)
  return `${time} UTC  topics ${topics.length}, in ${rateText(total)} records/s  groups ${groups.length}, behind ${lag.toLocaleString('en')} records\n`
}

function rateText(perSecond: number): string {
  if (perSecond === 0) return '0'
  return perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond).toLocaleString('en')
}

function growthText(perSecond: number): string {
  const bytes = Math.round(Math.abs(perSecond))
  return perSecond < 0 && bytes > 0 ? `-${bytesText(bytes)}` : bytesText(bytes)
}

const TOPIC_COLUMNS: readonly Column<TopicRate>[] = [
  { title: 'TOPIC', of: ({ topic }) => topic, fit: 'cut' },
  { title: 'PARTITIONS', of: ({ partitions }) => String(partitions), right: true },
  { title: 'RECORDS/S', of: ({ recordsPerSecond }) => rateText(recordsPerSecond), right: true },
  { title: 'BYTES/S', of: ({ bytesPerSecond }) => growthText(bytesPerSecond), right: true },
  { title: 'RECORDS', of: ({ records }) => records.toLocaleString('en'), right: true },
  { title: 'SIZE', of: ({ sizeBytes }) => bytesText(sizeBytes), right: true },
]

const GROUP_COLUMNS: readonly Column<GroupRate>[] = [
  { title: 'GROUP', of: ({ group }) => group, fit: 'cut' },
  { title: 'STATE', of: ({ state }) => state },
  { title: 'COMMITTED/S', of: ({ recordsPerSecond }) => rateText(recordsPerSecond), right: true },
  { title: 'LAG', of: ({ lag }) => lag.toLocaleString('en'), right: true },
  {
    title: 'BEHIND',
    of: ({ lagMs }) => (lagMs === undefined ? '-' : durationText(lagMs)),
    right: true,
  },
]
