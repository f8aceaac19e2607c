// Plays a story: the commands of a text file go into a group, and what followed is written below them (STYLE 3.12).
// Enters: the text of testdata/*.txt. Leaves: the same commands, each block with its transcript made anew.
//
//   topic orders 3             creates it, or makes it grow; `unheard`: nobody is told            remove topic orders
//   slow ord.*                 an expression that takes too long from now on
//   heartbeat a epoch=0 topics=orders,payments regex=ord.* owned=orders[0,1] instance=one assignor=range timeout=30s
//   commit a epoch=1 orders-0=42          commit epoch=-1 orders-0=42 metadata=words
//   fetch a epoch=1 orders-0              fetch
//   take out a too slow, take out instance=one        delete offsets orders-0        delete group        expire        list        describe
//   advance 15s, advance 7d a=2 (which sends heartbeats meanwhile)        ticks that fall due are told
//   restart, restart compacted            setting membersMax=2
import { isMinikafkaError } from '@minikafka/protocol'
import type { GroupRecord, GroupRequest } from '../src/index.ts'
import {
  describedLines,
  fetchedLine,
  heartbeatLine,
  recordLine,
  resultLine,
  stateLine,
} from './transcript.ts'
import { compacted, MiniHost, type Topics } from './world.ts'

const GROUP = 'billing'
const LINE = '----'
const BEAT_MS = 10_000

export function perform(text: string): string {
  const stage = new Stage()
  const blocks = text.trimEnd().split('\n\n')
  return `${blocks.map((block) => performBlock(stage, block)).join('\n\n')}\n`
}

function performBlock(stage: Stage, block: string): string {
  const lines = block.split('\n')
  const end = lines.indexOf(LINE)
  const commands = end === -1 ? lines : lines.slice(0, end)
  const isProse = commands.every((line) => line.startsWith('#'))
  if (isProse) return commands.join('\n')
  const played = commands
    .filter((line) => !line.startsWith('#'))
    .flatMap((line) => stage.play(line))
  return [...commands, LINE, ...played, ...stage.state()].join('\n')
}

class Stage {
  readonly #host = new MiniHost()
  readonly #clientIds = new Map<string, string>()

  play(line: string): string[] {
    const [verb = '', ...words] = line.split(' ')
    const play = this.#verbs[verb]
    if (play === undefined) throw new Error(`a story knows no ${verb}`)
    try {
      return play(words)
    } catch (error) {
      if (!isMinikafkaError(error)) throw error
      return [`refused: ${error.name}, ${error.message}`]
    }
  }

  /** Where the group is after a block. */
  state(): string[] {
    return stateLine(this.#host.groups.describe(GROUP, this.#host.nowMs))
  }

  readonly #verbs: Readonly<Record<string, (words: string[]) => string[]>> = {
    topic: ([name = '', count = '', unheard]) => {
      const topic = this.#topics.put(name, Number(count))
      return unheard === 'unheard' ? [] : this.#told(topic)
    },
    slow: ([expression = '']) => {
      this.#topics.slow.add(expression)
      return []
    },
    remove: ([, name = '']) => this.#told(this.#host.topics.delete(name)),
    heartbeat: (words) => this.#heartbeat(words),
    commit: (words) => this.#commit(words),
    fetch: (words) => this.#fetch(words),
    take: ([, ...words]) => this.#takeOut(words),
    delete: ([what, ...places]) =>
      what === 'group'
        ? this.#quiet({ kind: 'delete', groupId: GROUP })
        : this.#deleteOffsets(places),
    expire: () => this.#quiet({ kind: 'expire', groupId: GROUP }),
    list: () =>
      this.#host.groups.list([]).map(({ groupId, type, state }) => `${groupId}: ${type}, ${state}`),
    describe: () =>
      describedLines(this.#host.groups.describe(GROUP, this.#host.nowMs), this.#topics),
    advance: ([time = '', ...alive]) => this.#advance(milliseconds(time), spoken(alive).given),
    restart: ([how]) => [
      `loaded ${this.#host.restart(how === 'compacted' ? (log) => compacted(log).reverse() : undefined)} records`,
    ],
    setting: ([given = '']) => {
      const [name = '', value = ''] = given.split('=')
      this.#host.settings = { ...this.#host.settings, [name]: Number(value) }
      return []
    },
  }

  get #topics(): Topics {
    return this.#host.topics
  }

  #told(topic: { readonly name: string; readonly topicId: string } | undefined): string[] {
    if (topic === undefined) return []
    return this.#host.groups
      .groupsWith(topic)
      .flatMap((groupId) => this.#quiet({ kind: 'topicsChanged', groupId }))
  }

  #quiet(
    request: Extract<GroupRequest, { kind: 'topicsChanged' | 'expire' | 'delete' }>,
  ): string[] {
    return this.#lines(this.#host.ask(request).records)
  }

  #heartbeat(words: string[]): string[] {
    const { memberId, given } = spoken(words)
    const memberEpoch = Number(given.epoch)
    const isJoin = memberEpoch === 0
    const body = {
      groupId: GROUP,
      memberId,
      memberEpoch,
      instanceId: given.instance ?? null,
      rackId: null,
      rebalanceTimeoutMs: given.timeout ? milliseconds(given.timeout) : isJoin ? 300_000 : -1,
      subscribedTopicNames: given.topics?.split(',').filter(Boolean) ?? null,
      subscribedTopicRegex: given.regex ?? null,
      serverAssignor: given.assignor ?? null,
      topicPartitions: this.#owned(given.owned ?? (isJoin ? 'none' : undefined)),
    }
    const clientId = given.client ?? this.#clientIds.get(memberId) ?? 'app'
    this.#clientIds.set(memberId, clientId)
    const { records, response } = this.#host.ask<'heartbeat'>({
      kind: 'heartbeat',
      body,
      clientId,
      clientHost: '127.0.0.1',
    })
    return [...this.#lines(records), heartbeatLine(response, this.#topics)]
  }

  #owned(given: string | undefined) {
    if (given === undefined) return null
    if (given === 'none') return []
    return [...given.matchAll(/([^+,[\]]+)\[([\d,]*)\]/g)].map(([, name = '', numbers = '']) => ({
      topicId: this.#topicId(name),
      partitions: numbers.split(',').map(Number),
    }))
  }

  #commit(words: string[]): string[] {
    const { memberId, given } = spoken(words)
    const { epoch, instance, metadata, ...offsets } = given
    const positions = Object.entries(offsets).map(([place, offset]) => {
      const filler = /^x(\d+)$/.exec(metadata ?? '')?.[1]
      const words = filler === undefined ? metadata : 'x'.repeat(Number(filler))
      return {
        ...this.#place(place),
        offset: Number(offset),
        leaderEpoch: 0,
        metadata: words ?? null,
      }
    })
    const who = { memberId, memberEpoch: Number(epoch), instanceId: instance ?? null }
    const body = { groupId: GROUP, ...who, positions }
    const { records, response } = this.#host.ask<'commit'>({ kind: 'commit', body })
    const results = response.results.map((result, index) =>
      resultLine(Object.keys(offsets)[index] ?? '', result),
    )
    return [...this.#lines(records), ...results]
  }

  #fetch(words: string[]): string[] {
    const places = words.filter((word) => word.includes('-') && !word.includes('='))
    const { memberId, given } = spoken(words.filter((word) => !places.includes(word)))
    const { results } = this.#host.groups.fetchOffsets({
      groupId: GROUP,
      memberId: memberId === '' ? null : memberId,
      memberEpoch: Number(given.epoch ?? -1),
      requireStable: false,
      partitions: places.length === 0 ? null : places.map((place) => this.#place(place)),
    })
    return results.map((result) => fetchedLine(result, this.#topics))
  }

  #takeOut(words: string[]): string[] {
    const { memberId, given } = spoken(words.slice(0, 1))
    const reason = words.slice(1).join(' ')
    const members = [{ memberId, instanceId: given.instance ?? null, reason }]
    const body = { groupId: GROUP, members }
    const { records, response } = this.#host.ask<'leave'>({ kind: 'leave', body })
    const results = response.results.map((result) => resultLine(words[0] ?? '', result))
    return [...this.#lines(records), ...results]
  }

  #deleteOffsets(places: string[]): string[] {
    const partitions = places.map((place) => this.#place(place))
    const body = { groupId: GROUP, partitions }
    const { records, response } = this.#host.ask<'deleteOffsets'>({ kind: 'deleteOffsets', body })
    const results = response.results.map((result, index) => resultLine(places[index] ?? '', result))
    return [...this.#lines(records), ...results]
  }

  /** `alive`: members and their epochs. */
  #advance(ms: number, alive: Readonly<Record<string, string>>): string[] {
    const told: string[] = []
    const stepMs = Object.keys(alive).length === 0 ? ms : BEAT_MS
    for (let leftMs = ms; leftMs > 0; leftMs -= stepMs) {
      this.#host.advance(Math.min(stepMs, leftMs), (_groupId, records) => {
        if (records.length > 0) told.push(`tick at ${this.#host.nowMs / 1_000} s`)
        told.push(...this.#lines(records))
      })
      for (const [memberId, epoch] of Object.entries(alive))
        told.push(...this.#heartbeat([memberId, `epoch=${epoch}`]).slice(0, -1))
    }
    return told
  }

  #lines(records: readonly GroupRecord[]): string[] {
    return records.map((record) => recordLine(record, this.#topics))
  }

  #place(place: string): { topicId: string; partition: number } {
    const dash = place.lastIndexOf('-')
    const topicId = this.#topicId(place.slice(0, dash))
    return { topicId, partition: Number(place.slice(dash + 1)) }
  }

  #topicId(name: string): string {
    return this.#topics.idOf(name)
  }
}

function spoken(words: string[]): { memberId: string; given: Record<string, string> } {
  const memberId = words.find((word) => !word.includes('=')) ?? ''
  const pairs = words.filter((word) => word.includes('='))
  return { memberId, given: Object.fromEntries(pairs.map((pair) => pair.split('=', 2))) }
}

function milliseconds(time: string): number {
  const [, count, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(time) ?? []
  const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
  if (unit === undefined) throw new Error(`a story knows no time ${time}`)
  return Number(count) * units[unit as keyof typeof units]
}
