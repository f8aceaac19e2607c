// minikafka profile list | show: what there is, and what a command would use.
import { type Profile, preferencesOf, sdkPairs } from '../preferences.ts'
import { profileInUse, readProfiles } from '../profiles.ts'
import { splitPair } from '../sdk-options.ts'
import type { GlobalOptions, Session } from '../session.ts'
import { type Column, printRows } from '../table.ts'

type Listed = Profile & { readonly inUse: boolean }

export async function profileList(session: Session): Promise<void> {
  const { byName, current } = await readProfiles(session.env)
  const named = session.env.program.variables.MINIKAFKA_PROFILE || current
  const rows = [...byName.values()].map((profile) => ({
    ...profile,
    inUse: profile.name === named,
  }))
  await printRows(session, rows, LIST_COLUMNS, (row) => row)
}

const LIST_COLUMNS: readonly Column<Listed>[] = [
  { title: 'PROFILE', of: ({ name }) => name, fit: 'cut' },
  { title: 'IN USE', of: ({ inUse }) => (inUse ? 'yes' : '') },
  { title: 'BROKERS', of: ({ brokers = [] }) => brokers.join(',') || '-', fit: 'cut' },
]

// --- show --------------------------------------------------------------------------------------

type Row = { readonly name: string; readonly value: string; readonly origin: string }

export async function profileShow(
  session: Session,
  name: string | undefined,
  globals: GlobalOptions,
  { showOrigin = false }: { showOrigin?: boolean },
): Promise<void> {
  const { env } = session
  const profile = await profileInUse(env, name ?? globals.profile)
  const preferences = preferencesOf(env.program.variables, globals, profile)
  const rows: Row[] = [
    {
      name: 'profile',
      value: profile?.name ?? 'none',
      origin: profile === undefined ? 'default' : originOfProfile(session, name, globals),
    },
    ...Object.entries(preferences).map(([key, one]) => ({ name: key, ...one })),
    ...optionRows(globals, profile),
  ]
  const columns = showOrigin || session.output === 'wide' ? COLUMNS : COLUMNS.slice(0, 2)
  await printRows(session, rows, columns, ({ origin, ...row }) =>
    showOrigin ? { ...row, origin } : row,
  )
}

function originOfProfile(
  { env }: Session,
  name: string | undefined,
  { profile }: GlobalOptions,
): string {
  if (name !== undefined) return 'argument'
  if (profile !== undefined) return '--profile'
  return env.program.variables.MINIKAFKA_PROFILE ? 'MINIKAFKA_PROFILE' : 'current'
}

/** The last of each name counts. */
function optionRows(globals: GlobalOptions, profile: Profile | undefined): Row[] {
  const given = new Set((globals.option ?? []).map((pair) => splitPair(pair, '-X')[0]))
  const values = new Map(sdkPairs(globals, profile).map((pair) => splitPair(pair, '-X')))
  return [...values].map(([name, value]) => ({
    name,
    value,
    origin: given.has(name) ? '-X' : `profile ${profile?.name}`,
  }))
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'SETTING', of: ({ name }) => name },
  { title: 'VALUE', of: ({ value }) => value, fit: 'cut' },
  { title: 'FROM', of: ({ origin }) => origin },
]
