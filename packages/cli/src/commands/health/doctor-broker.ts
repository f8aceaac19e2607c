// What doctor says of a broker's surroundings: disk, file descriptors, when it syncs.
import type { BrokerProcess, ConfigEntry, LogDirDescription } from '@minikafka/client'
import type { Session } from '../../session.ts'
import { bytesText } from '../../table.ts'
import type { Finding } from './finding.ts'

type SettingOf = (name: string) => string | undefined

/** Less of the disk free than that is told. */
const FREE_SHARE_WARN = 0.1
/** What the default of the reserve means (REPLICATION 2.12.4). */
const RESERVE_SHARE = 0.05
const RESERVE_BYTES_MAX = 1024 ** 3
const FILES_SHARE_BAD = 0.9
/** What a process has open besides files of the log and connections. */
const FILES_OTHER = 64
/** Of so many topics the settings are looked at. */
const TOPICS_MAX = 500

export function settingOf(config: readonly ConfigEntry[]): SettingOf {
  return (name) => config.find((entry) => entry.name === name)?.value ?? undefined
}

export function diskFinding(dir: LogDirDescription, settingOf: SettingOf): Finding {
  const { brokerId, path, error, usableBytes, totalBytes } = dir
  const base = { about: 'disk', labels: { broker: String(brokerId), path } }
  if (error !== undefined)
    return {
      ...base,
      state: 'problem',
      what: `broker ${brokerId} cannot use ${path}: ${error}`,
      todo: 'look at its log and at the disk; it serves again after a restart on a disk that works',
    }
  if (totalBytes < 0)
    return { ...base, state: 'ok', what: `broker ${brokerId} does not tell the room for ${path}` }
  const figures = { disk_free_bytes: usableBytes, disk_bytes: totalBytes }
  const share = Math.floor((usableBytes / totalBytes) * 100)
  const what = `broker ${brokerId} has ${bytesText(usableBytes)} free (${share} %) for ${path}`
  const set = Number(settingOf('disk.reserve.bytes') ?? -1)
  const reserve = set >= 0 ? set : Math.min(totalBytes * RESERVE_SHARE, RESERVE_BYTES_MAX)
  const todo =
    'free or add space; or keep less: topic list --sizes says what is large, then topic trim T, or topic alter T -c retention.bytes=…'
  if (usableBytes < reserve) {
    const refused = `${what}: less than its reserve of ${bytesText(reserve)}, produce is refused`
    return { ...base, figures, state: 'problem', what: refused, todo }
  }
  if (usableBytes < Math.max(totalBytes * FREE_SHARE_WARN, 2 * reserve))
    return { ...base, figures, state: 'warning', what, todo }
  return { ...base, figures, state: 'ok', what }
}

export function filesFinding(process: BrokerProcess, settingOf: SettingOf): Finding {
  const { brokerId, openFiles, openFilesMax } = process
  const base = { about: 'files', labels: { broker: String(brokerId) } }
  if (openFiles === undefined || openFilesMax === undefined)
    return {
      ...base,
      state: 'ok',
      what: `the system of broker ${brokerId} does not tell its limit`,
    }
  const figures = { open_files: openFiles, open_files_max: openFilesMax }
  const what = `broker ${brokerId} has ${openFiles} of ${openFilesMax} file descriptors open`
  const connections = Number(settingOf('max.connections') ?? 0)
  const logFiles = Number(settingOf('log.files.open.max') ?? 0)
  const wanted = connections + logFiles + FILES_OTHER
  const todo = `raise its limit to ${wanted} or more: ulimit -n, LimitNOFILE= of systemd, --ulimit nofile= of docker; or lower max.connections`
  if (openFiles > openFilesMax * FILES_SHARE_BAD)
    return { ...base, figures, state: 'problem', what, todo }
  if (openFilesMax >= wanted) return { ...base, figures, state: 'ok', what }
  const short = `${what}; ${connections} connections and ${logFiles} files of logs may want ${wanted}`
  return { ...base, figures, state: 'warning', what: short, todo }
}

export async function flushFindings(
  session: Session,
  brokerId: number,
  settingOf: SettingOf,
): Promise<Finding[]> {
  const flush = settingOf('flush') ?? 'group'
  const loose = await looseTopics(session)
  const base = { about: 'flush', labels: { broker: String(brokerId) } }
  const own: Finding[] =
    flush === 'group'
      ? [
          {
            ...base,
            state: 'ok',
            what: `broker ${brokerId} syncs records before it acknowledges them (flush=group)`,
          },
        ]
      : [
          {
            ...base,
            state: 'warning',
            what: `broker ${brokerId} acknowledges before it syncs (flush=${flush}): a power cut loses acknowledged records`,
            todo: 'set flush=group, unless other replicas or your own retries make up for it',
          },
        ]
  if (loose.length === 0) return own
  const names =
    loose.slice(0, 5).join(', ') + (loose.length > 5 ? ` and ${loose.length - 5} more` : '')
  const what = `acknowledged records of ${names} may be lost in a power cut: the topic says so (flush)`
  const todo = `topic alter ${loose[0]} -d flush, unless that is meant`
  return [...own, { about: 'flush', state: 'warning', what, todo }]
}

/** Topics that were told themselves not to sync before they acknowledge. */
async function looseTopics(session: Session): Promise<string[]> {
  const { admin, wait } = session
  const topics = await session.ask(admin.listTopics({}, wait))
  const described = topics
    .slice(0, TOPICS_MAX)
    .map(({ name }) => admin.describeTopic(name, wait).catch(() => undefined))
  return (await session.ask(Promise.all(described))).flatMap((topic) => {
    const flush = topic?.config.find(({ name }) => name === 'flush')
    return topic && flush?.origin === 'topic' && flush.value !== 'group' ? [topic.name] : []
  })
}
