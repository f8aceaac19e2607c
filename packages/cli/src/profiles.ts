// The profiles of the command line: `~/.config/minikafka/config.yaml`, mode 0600.
// Enters: the file. Leaves: profiles that were checked, or a Failure that names the place; changes keep its comments.
import type { Env } from '@minikafka/client'
import type { Document } from 'yaml'
import { EXIT, Failure } from './failures.ts'
import { parseDuration } from './grammar/duration.ts'
import { OUTPUTS, type Profile } from './preferences.ts'
import { saveFile } from './save-file.ts'

export type Profiles = {
  readonly path: string
  readonly current: string | undefined
  readonly byName: ReadonlyMap<string, Profile>
}

export function profilesPath({ program }: Env): string {
  return `${program.home}/.config/minikafka/config.yaml`
}

/** Without the file: none. */
export async function readProfiles(env: Env): Promise<Profiles> {
  const path = profilesPath(env)
  const text = await readText(env, path)
  if (text === undefined) return { path, current: undefined, byName: new Map() }
  return profilesOf((await parse(path, text)).toJS(), path)
}

/** The one that is named by flag, variable or the file; undefined: none is. Errors: a Failure where it is not there. */
export async function profileInUse(
  env: Env,
  flag: string | undefined,
): Promise<Profile | undefined> {
  const named = flag ?? (env.program.variables.MINIKAFKA_PROFILE || undefined)
  const profiles = await readProfiles(env)
  const name = named ?? profiles.current
  return name === undefined ? undefined : profileNamed(profiles, name)
}

export function profileNamed({ byName, path }: Profiles, name: string): Profile {
  const profile = byName.get(name)
  if (profile !== undefined) return profile
  const there = byName.size === 0 ? 'there are none' : `there are ${[...byName.keys()].join(', ')}`
  throw new Failure(`there is no profile '${name}' in ${path}; ${there}`, EXIT.notFound)
}

/** Changes the file, and leaves what else is in it. */
export async function changeProfiles(
  env: Env,
  change: (document: Document) => void,
): Promise<void> {
  const path = profilesPath(env)
  const document = await parse(path, (await readText(env, path)) ?? 'profiles: {}\n')
  change(document)
  const text = document.toString()
  profilesOf(document.toJS(), path)
  await env.disk.makeDirectory(path.slice(0, path.lastIndexOf('/'))).catch((error: Error) => {
    throw new Failure(`${path}: ${error.message}`)
  })
  await saveFile(env, path, text)
}

async function readText({ disk }: Env, path: string): Promise<string | undefined> {
  const content = await disk.readFile(path, { links: 'follow' }).catch((error: unknown) => {
    throw new Failure(`${path}: ${(error as Error).message}`)
  })
  return content?.toString('utf8')
}

async function parse(path: string, text: string): Promise<Document> {
  const { parseDocument } = await import('yaml')
  const document = parseDocument(text)
  const [error] = document.errors
  if (error !== undefined) throw new Failure(`${path}: ${error.message.split('\n')[0]}`)
  return document
}

// --- checks --------------------------------------------------------------------------------------

type Fields = Readonly<Record<string, unknown>>

function profilesOf(json: unknown, path: string): Profiles {
  const { current: named, profiles = {}, ...rest } = fieldsOf(json ?? {}, path)
  const current = named ?? undefined
  refuseOthers(rest, path, ['current', 'profiles'])
  if (current !== undefined && typeof current !== 'string')
    throw new Failure(`${path}: current: expected the name of a profile`)
  const byName = new Map<string, Profile>()
  for (const [name, value] of Object.entries(fieldsOf(profiles, `${path}: profiles`)))
    byName.set(name, profileOf(name, value, `${path}: profiles.${name}`))
  return { path, current, byName }
}

function profileOf(name: string, value: unknown, place: string): Profile {
  const { brokers, output, timeout, options, ...rest } = fieldsOf(value ?? {}, place)
  refuseOthers(rest, place, ['brokers', 'output', 'timeout', 'options'])
  const expect = (isFine: boolean, field: string, expected: string) => {
    if (!isFine) throw new Failure(`${place}.${field}: expected ${expected}`)
  }
  const isList = Array.isArray(brokers) && brokers.every((one) => typeof one === 'string')
  expect(brokers === undefined || isList, 'brokers', 'a list of host:port')
  const isOutput = OUTPUTS.some((one) => one === output)
  expect(output === undefined || isOutput, 'output', `one of ${OUTPUTS.join(', ')}`)
  expect(timeout === undefined || isDuration(timeout), 'timeout', 'a duration such as 30s')
  const pairs = options === undefined ? {} : fieldsOf(options, `${place}.options`)
  const isWords = Object.values(pairs).every((one) => one !== null && typeof one !== 'object')
  expect(isWords, 'options', 'words, numbers, true or false')
  return {
    name,
    ...(brokers === undefined ? {} : { brokers: brokers as string[] }),
    ...(output === undefined ? {} : { output: output as string }),
    ...(timeout === undefined ? {} : { timeout: timeout as string }),
    ...(options === undefined ? {} : { options: pairs as Record<string, string> }),
  }
}

function fieldsOf(value: unknown, place: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw new Failure(`${place}: expected names with values`)
}

const SECRET = /password|secret|token/i

/** A word that nobody knows is a mistake, not a wish for later. */
function refuseOthers(rest: Fields, place: string, known: readonly string[]): void {
  for (const field of Object.keys(rest)) {
    if (SECRET.test(field) && !field.endsWith('File'))
      throw new Failure(`${place}.${field}: secrets do not belong here, only names of their files`)
    throw new Failure(`${place}.${field}: there is no such field; there are ${known.join(', ')}`)
  }
}

function isDuration(value: unknown): boolean {
  try {
    parseDuration(String(value))
    return true
  } catch {
    return false
  }
}
