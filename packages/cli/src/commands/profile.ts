// minikafka profile create | use | delete: what changes the file of the profiles.
import { confirm } from '../confirm.ts'
import { Failure } from '../failures.ts'
import { changeProfiles, profileNamed, readProfiles } from '../profiles.ts'
import { sdkOptions, splitPair } from '../sdk-options.ts'
import type { GlobalOptions, Session } from '../session.ts'
import { UsageError } from '../usage-error.ts'

export async function profileCreate(
  session: Session,
  name: string,
  { brokers, output, timeout, option = [] }: GlobalOptions,
  { use = false }: { use?: boolean },
): Promise<void> {
  if (!/^[\w.-]{1,64}$/.test(name))
    throw new UsageError(`${name}: a name is letters, digits, dots, dashes and underscores`)
  sdkOptions(option, undefined)
  const { path, byName, current } = await readProfiles(session.env)
  if (byName.has(name)) throw new Failure(`profile ${name} exists already, in ${path}`)
  const profile = {
    ...(brokers === undefined ? {} : { brokers: brokers.split(',').filter(Boolean) }),
    ...(output === undefined ? {} : { output }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(option.length === 0
      ? {}
      : { options: Object.fromEntries(option.map((pair) => splitPair(pair, '-X'))) }),
  }
  if (Object.keys(profile).length === 0)
    throw new UsageError('say what the profile shall hold: -b, -O, --timeout, -X')
  const isUsed = use || current === undefined
  await changeProfiles(session.env, (document) => {
    document.setIn(['profiles', name], document.createNode(profile))
    if (isUsed) document.set('current', name)
  })
  await session.say(`created profile ${name} in ${path}${isUsed ? '; it is in use' : ''}`)
}

export async function profileUse(session: Session, name: string): Promise<void> {
  profileNamed(await readProfiles(session.env), name)
  await changeProfiles(session.env, (document) => document.set('current', name))
  await session.say(`profile ${name} is in use`)
}

export async function profileDelete(
  session: Session,
  names: readonly string[],
  { dryRun = false }: { dryRun?: boolean },
): Promise<void> {
  const profiles = await readProfiles(session.env)
  const doomed = [...new Set(names)]
  for (const name of doomed) profileNamed(profiles, name)
  if (dryRun) return session.print(`would delete ${doomed.join(', ')}\n`)
  await confirm(session, `Delete ${doomed.join(', ')}?`)
  await changeProfiles(session.env, (document) => {
    for (const name of doomed) document.deleteIn(['profiles', name])
    // Not taken out: the comment before it would go, too.
    if (doomed.includes(profiles.current ?? '')) document.set('current', null)
  })
  await session.say(`deleted ${doomed.join(', ')}`)
}
