// minikafka __complete: what the last word may be, a line each, with a tab and what it means. Shells ask it at every Tab:
// it says nothing else, never fails, and asks a broker for at most 150 ms.
import type { Env } from '@minikafka/client'
import type { Command } from 'commander'
import { HELP_PAGES } from '../command-line/help-pages.ts'
import { plain } from '../plain-text.ts'
import { OUTPUTS } from '../preferences.ts'
import { profileInUse, readProfiles } from '../profiles.ts'
import type { Session } from '../session.ts'
import { SHELLS } from './completion.ts'
import { optionsOf, type Typed, typedWords, type Value } from './typed-words.ts'

const TIMEOUT = '150ms'

type Word = { readonly text: string; readonly about?: string }

export async function complete(
  env: Env,
  signal: AbortSignal,
  root: Command,
  words: readonly string[],
): Promise<void> {
  const typed = typedWords(root, words)
  const found = await wordsFor({ env, signal }, root, typed).catch(() => [])
  const { stdout } = env.program
  if (found === 'files') return stdout.write(':files\n')
  const { last, before } = typed
  const lines = found
    // What would break the line is no word for a shell.
    .filter(({ text }) => text.startsWith(last) && plain(text) === text)
    .map(({ text, about = '' }) => `${before}${text}${about === '' ? '' : `\t${plain(about)}`}\n`)
  if (lines.length > 0) await stdout.write(lines.join(''))
}

type Asked = { readonly env: Env; readonly signal: AbortSignal }

async function wordsFor(asked: Asked, root: Command, typed: Typed): Promise<Word[] | 'files'> {
  const { command, wants, last } = typed
  if (wants === undefined) return []
  if (wants === 'command') return childrenOf(command)
  if (wants === 'option') return optionWords(command)
  if (command.name() === 'help') return helpWords(root, typed.given)
  const { place } = wants
  if (/^(file|path)$/i.test(place) || place === 'F') return 'files'
  if (!place.endsWith(',…')) return valueWords(asked, typed, wants)
  // Of a list the last of its items is typed.
  const comma = last.lastIndexOf(',') + 1
  const item = { ...wants, place: place.slice(0, -2) }
  const items = await valueWords(asked, typed, item)
  return items.map(({ text }) => ({ text: last.slice(0, comma) + text }))
}

function childrenOf(command: Command): Word[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((one) => ({ text: one.name(), about: one.description() }))
}

function optionWords(command: Command): Word[] {
  const help = { text: '--help', about: 'print the help of this command' }
  const options = optionsOf(command).flatMap(({ short, long, description }) =>
    [long, long === undefined ? short : undefined]
      .filter((one) => one !== undefined)
      .map((text) => ({ text, about: description })),
  )
  return [...options, help]
}

/** A page, or a command and those below it. */
function helpWords(root: Command, given: readonly string[]): Word[] {
  let command = root
  for (const word of given) {
    const child = command.commands.find((one) => one.name() === word)
    if (child === undefined) return []
    command = child
  }
  const pages = command === root ? Object.keys(HELP_PAGES) : []
  return [...pages.map((text) => ({ text })), ...childrenOf(command)]
}

// --- values --------------------------------------------------------------------------------------

const CHOICES: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ['--output', OUTPUTS],
  ['--compression', ['none', 'gzip', 'lz4', 'snappy', 'zstd']],
  ['--acks', ['all', 'leader', 'none']],
  ['--offset', ['start', 'end']],
  ['--before', ['end']],
  ['--to', ['start', 'end', 'shift:']],
])

async function valueWords(asked: Asked, typed: Typed, value: Value): Promise<Word[]> {
  const { place, option } = value
  const choices = CHOICES.get(option?.long ?? '')
  if (choices !== undefined) return choices.map((text) => ({ text }))
  if (place === 'shell') return SHELLS.map((text) => ({ text }))
  if (place === 'profile') return profileWords(asked)
  const isOfTopic = typed.command.parent?.name() === 'topic'
  if (place === 'setting' || place === 'setting=value') {
    const end = place === 'setting' ? '' : '='
    return asking(asked, typed, isOfTopic ? topicSettings(typed, end) : brokerSettings(end))
  }
  if (place === 'topic') return asking(asked, typed, topics)
  if (place === 'broker') return asking(asked, typed, brokers)
  return place === 'group' ? asking(asked, typed, groups) : []
}

async function profileWords({ env }: Asked): Promise<Word[]> {
  const { byName } = await readProfiles(env)
  return [...byName.values()].map(({ name: text, brokers = [] }) => ({
    text,
    about: brokers.join(','),
  }))
}

type Question = (session: Session) => Promise<Word[]>

/** Of the cluster that the words so far name. Errors: no broker answers soon. */
async function asking({ env, signal }: Asked, { globals }: Typed, ask: Question): Promise<Word[]> {
  // With it the client.
  const { Session } = await import('../session.ts')
  const profile = await profileInUse(env, globals.profile)
  const options = { ...globals, timeout: TIMEOUT, quiet: true }
  const asker = new Session(env, options, signal, { profile })
  try {
    // Refused where nobody listens; an admin would try again.
    await asker.client.ping(asker.wait)
    return await ask(asker)
  } finally {
    await asker.close()
  }
}

const topics: Question = async ({ admin, wait }) =>
  (await admin.listTopics({}, wait)).map(({ name: text, partitions }) => ({
    text,
    about: `${partitions.length} partitions`,
  }))

const groups: Question = async ({ admin, wait }) =>
  (await admin.listGroups(wait)).map(({ group: text, state: about }) => ({ text, about }))

const brokers: Question = async ({ admin, wait }) =>
  (await admin.cluster(wait)).brokers.map(({ nodeId, host, port }) => ({
    text: String(nodeId),
    about: `${host}:${port}`,
  }))

function brokerSettings(end: string): Question {
  return async ({ admin, wait }) =>
    (await admin.brokerConfig(undefined, wait))
      .filter(({ readOnly }) => end === '' || !readOnly)
      .map(({ name, about }) => ({ text: `${name}${end}`, about }))
}

/** They are the same of every topic. */
function topicSettings({ given }: Typed, end: string): Question {
  return async ({ admin, wait }) => {
    const name = given[0] ?? (await admin.listTopics({ internal: true }, wait))[0]?.name
    if (name === undefined) return []
    const { config } = await admin.describeTopic(name, wait)
    return config.map((entry) => ({ text: `${entry.name}${end}`, about: entry.about }))
  }
}
