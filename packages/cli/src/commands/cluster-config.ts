// minikafka cluster config get | set: settings of brokers that run, and where each comes from.
import type { ConfigEntry } from '@minikafka/client'
import { EXIT, Failure } from '../failures.ts'
import { wholeNumber } from '../grammar/number.ts'
import { reachBroker } from '../reach.ts'
import { splitPair } from '../sdk-options.ts'
import type { Session } from '../session.ts'
import { type Column, printRows } from '../table.ts'
import { UsageError } from '../usage-error.ts'
import { addressText } from './cluster.ts'

export type GetOptions = { broker?: string }

export async function configGet(
  session: Session,
  names: readonly string[],
  options: GetOptions,
): Promise<void> {
  const wanted = idOf(options)
  await reachBroker(session)
  const broker = await knownBroker(session, wanted)
  const all = await session.ask(session.admin.brokerConfig(broker, session.wait))
  const missing = names.filter((name) => !all.some((entry) => entry.name === name))
  if (missing.length > 0)
    throw new Failure(`there is no setting ${missing.join(', ')}`, EXIT.notFound)
  const shown = names.length === 0 ? all : all.filter(({ name }) => names.includes(name))
  await printRows(session, shown, COLUMNS, (entry) => entry)
}

function idOf({ broker }: GetOptions): number | undefined {
  return broker === undefined ? undefined : wholeNumber('--broker', broker)
}

/** The SDK would wait for it: it might be starting. Errors: Failure, at once. */
async function knownBroker(session: Session, id: number | undefined): Promise<number | undefined> {
  if (id === undefined) return undefined
  const { brokers } = await session.ask(session.admin.cluster(session.wait))
  if (brokers.some(({ nodeId }) => nodeId === id)) return id
  const there = brokers.map((broker) => `${broker.nodeId} (${addressText(broker)})`).join(', ')
  throw new Failure(`there is no broker ${id}; there are: ${there}`, EXIT.notFound)
}

const COLUMNS: readonly Column<ConfigEntry>[] = [
  { title: 'SETTING', of: ({ name }) => name },
  { title: 'VALUE', of: ({ value }) => (value === null || value === '' ? '-' : value), fit: 'cut' },
  { title: 'FROM', of: ({ origin }) => origin },
  { title: 'CHANGES', of: ({ readOnly }) => (readOnly ? 'at a restart' : 'now'), wide: true },
  { title: 'ABOUT', of: ({ about }) => about, wide: true, fit: 'wrap' },
]

// --- set ---------------------------------------------------------------------------------------

export type SetOptions = GetOptions & { delete?: string[]; dryRun?: boolean }
type Change = { readonly name: string; readonly old: string; readonly new: string }

export async function configSet(
  session: Session,
  pairs: readonly string[],
  options: SetOptions,
): Promise<void> {
  const { delete: unset = [], dryRun = false } = options
  const set = Object.fromEntries(pairs.map((pair) => splitPair(pair, 'set')))
  const both = unset.find((name) => Object.hasOwn(set, name))
  if (both !== undefined) throw new UsageError(`${both}: set it, or delete it, not both`)
  if (pairs.length + unset.length === 0)
    throw new UsageError('nothing to change: give setting=value, or -d setting')
  const wanted = idOf(options)
  await reachBroker(session)
  const broker = await knownBroker(session, wanted)
  const old = await session.ask(session.admin.brokerConfig(broker, session.wait))
  const change = { set, delete: unset, validateOnly: dryRun }
  await session.admin.alterBrokerConfig(change, broker, session.wait)
  const now = dryRun ? old : await session.admin.brokerConfig(broker, session.wait)
  const changes = [...Object.keys(set), ...unset].map((name): Change => {
    const planned = set[name] ?? 'as without it'
    return { name, old: textOf(old, name), new: dryRun ? planned : textOf(now, name) }
  })
  await printRows(session, changes, CHANGE_COLUMNS, (one) => ({ ...one, done: !dryRun }))
  if (dryRun) return session.say('nothing was changed')
  for (const name of Object.keys(set)) {
    const { origin } = now.find((entry) => entry.name === name) ?? { origin: 'unknown' }
    if (origin !== 'dynamic')
      await session.say(`${name} is set, but for the value from ${origin}, which goes before it`)
  }
}

function textOf(entries: readonly ConfigEntry[], name: string): string {
  const entry = entries.find((one) => one.name === name)
  return `${entry?.value ?? '-'} (${entry?.origin ?? 'unknown'})`
}

const CHANGE_COLUMNS: readonly Column<Change>[] = [
  { title: 'SETTING', of: ({ name }) => name },
  { title: 'OLD', of: (change) => change.old, fit: 'cut' },
  { title: 'NEW', of: (change) => change.new, fit: 'cut' },
]
