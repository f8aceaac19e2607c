// All groups that this broker looks after: a host for each partition of __consumer_offsets that it leads.
// Enters: requests by group id; partitions that are led; topics that change. Leaves: answers, or where to ask instead.
import type { ClusterState } from '@minikafka/cluster'
import {
  encodeGroupRecord,
  type GroupRecord,
  GroupRecordReader,
  type GroupRequest,
  type GroupResponse,
  type GroupSettings,
  Groups,
} from '@minikafka/coordinator'
import type { Env, Timer } from '@minikafka/platform'
import { MinikafkaError } from '@minikafka/protocol'
import { assignorNames, type Values } from '../config/index.ts'
import { type Partition, type Partitions, SteadyClock } from '../partition/index.ts'
import { GroupClock } from './group-clock.ts'
import { GroupHost, type News, type Sender } from './group-host.ts'
import type { RecordCodec } from './machine.ts'
import { OFFSETS_TOPIC, type OffsetsTopic } from './offsets-topic.ts'
import { type ChangedTopic, TopicsFeed } from './topics-feed.ts'

type Host = GroupHost<GroupRecord, Groups>

/** Requests that wait for others of their group, in all of them; each holds its frame. */
const WAITING_MAX = 50_000
/** Partitions that are loaded at once. */
const LOADS_AT_ONCE = 4
/** After a load that failed: a disk may be mended meanwhile. */
const LOAD_AGAIN_MS = 10_000
/** Groups that are told of something in one turn of the loop. */
const TOLD_AT_ONCE = 200

export type GroupHostsParts = {
  readonly nodeId: number
  readonly topic: OffsetsTopic
  readonly state: ClusterState
  readonly partitions: Partitions
  readonly values: () => Values
  /** Resolves when everything up to this revision of the metadata has been done here. */
  readonly reached: (revision: number) => Promise<void>
}

/** Where a partition of groups stands at one moment, for those who watch. */
export type GroupHostFacts = {
  readonly partition: number
  readonly leaderEpoch: number
  readonly isLoading: boolean
  readonly groupCount: number
  readonly inFlightCount: number
}

export class GroupHosts {
  readonly #env: Env
  readonly #parts: GroupHostsParts
  readonly #time: GroupClock
  readonly #steadyClock: SteadyClock
  readonly #topics: TopicsFeed
  readonly #codec: RecordCodec<GroupRecord>
  readonly #room = { waiting: 0, waitingMax: WAITING_MAX }
  /** By number of the partition. */
  readonly #hosts = new Map<number, Host>()
  #toLoad: Host[] = []
  readonly #retries = new Set<Timer>()
  #settled: { readonly values: Values; readonly settings: GroupSettings } | undefined
  #loadCount = 0
  #slowDecisionCount = 0
  #closed = false

  constructor(env: Env, parts: GroupHostsParts) {
    this.#env = env
    this.#parts = parts
    this.#time = new GroupClock(env.clock)
    this.#steadyClock = new SteadyClock(env.clock)
    const reader = new GroupRecordReader()
    this.#codec = { encode: encodeGroupRecord, decode: (key, value) => reader.read(key, value) }
    this.#topics = new TopicsFeed(env.clock, parts.state, (topics, revision) => {
      void this.#topicsChanged(topics, revision)
    })
  }

  /** Loads what is led now, and from then on by itself. */
  start(): void {
    this.#parts.partitions.onLead((partition) => this.#led(partition))
    for (const partition of this.#parts.partitions.all()) this.#led(partition)
  }

  /** Whoever waits for an answer hears NOT_COORDINATOR. */
  close(): void {
    this.#closed = true
    this.#topics.close()
    for (const host of this.#hosts.values()) host.resign()
    this.#hosts.clear()
    this.#toLoad = []
    for (const timer of this.#retries) timer.cancel()
  }

  // --- requests ------------------------------------------------------------------------------

  /** As `GroupHost.ask`, and the errors of `machineOf`; THROTTLING_QUOTA_EXCEEDED where a group would be one too many. */
  ask<K extends GroupRequest['kind']>(
    groupId: string,
    request: Extract<GroupRequest, { kind: K }>,
    from: Sender,
  ): GroupResponse[K] | Promise<GroupResponse[K]> {
    const host = this.#hostOf(groupId)
    if (mayGrow(request)) this.#mustHaveRoom(groupId, request, host)
    return host.ask(request, from)
  }

  /**
   * The committed facts of a group, and the time they are seen at.
   *
   * Errors  INVALID_GROUP_ID, NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE.
   */
  machineOf(groupId: string): Groups {
    return this.#hostOf(groupId).machine
  }

  /** Of every partition that is led here. Errors: those of `machineOf`. */
  machines(): Groups[] {
    return [...this.#hosts.values()].map((host) => host.machine)
  }

  /** Of every partition that is led here and loaded. */
  *serving(): Iterable<Groups> {
    for (const { machineIfServing } of this.#hosts.values())
      if (machineIfServing !== undefined) yield machineIfServing
  }

  nowMs(): number {
    return this.#time.nowMs()
  }

  get facts(): GroupHostFacts[] {
    return [...this.#hosts.values()].map((host) => ({
      partition: host.partition.number,
      leaderEpoch: host.leaderEpoch,
      isLoading: host.isLoading,
      groupCount: host.machineIfServing?.groupCount ?? 0,
      inFlightCount: host.inFlightCount,
    }))
  }

  /** Since the start: decisions that held everything else up for more than 10 ms. */
  get slowDecisionCount(): number {
    return this.#slowDecisionCount
  }

  #hostOf(groupId: string): Host {
    if (groupId === '') {
      throw new MinikafkaError('INVALID_GROUP_ID', { message: 'the group id is empty' })
    }
    const number = this.#parts.topic.partitionOf(groupId)
    const host = number === undefined ? undefined : this.#hosts.get(number)
    if (host !== undefined) return host
    throw new MinikafkaError('NOT_COORDINATOR', {
      message: `broker ${this.#parts.nodeId} does not look after group ${groupId}: ask FindCoordinator`,
    })
  }

  #mustHaveRoom(groupId: string, request: GroupRequest, host: Host): void {
    const { machine } = host
    const isNew = !machine.has(groupId)
    const values = this.#parts.values()
    let groupCount = 0
    let heldBytes = 0
    for (const { machineIfServing } of this.#hosts.values()) {
      groupCount += machineIfServing?.groupCount ?? 0
      heldBytes += machineIfServing?.heldBytes ?? 0
    }
    if (isNew && groupCount >= values['max.groups'])
      throw tooMuch(`${groupCount} groups`, 'max.groups', values['max.groups'])
    if (heldBytes >= values['max.groups.bytes'] && machine.wouldGrow(request))
      throw tooMuch(`${heldBytes} bytes of groups`, 'max.groups.bytes', values['max.groups.bytes'])
  }

  // --- partitions that are led ---------------------------------------------------------------

  #led(partition: Partition): void {
    if (partition.topic !== OFFSETS_TOPIC || this.#closed) return
    const { number, leadership } = partition
    const before = this.#hosts.get(number)
    const leads = partition.isLeader() && partition.offline === undefined
    const isSame = before?.partition === partition && before.leaderEpoch === leadership.leaderEpoch
    if (isSame && leads && !before.isOver) return
    before?.resign()
    this.#hosts.delete(number)
    if (leads) this.#open(partition)
  }

  #open(partition: Partition): void {
    const machine = new Groups(() => this.#settings(), this.#topics)
    const host: Host = new GroupHost(this.#env, partition, {
      machine,
      codec: this.#codec,
      time: this.#time,
      room: this.#room,
      onSlow: () => this.#slowDecisionCount++,
      onFailed: () => this.#again(host),
    })
    this.#hosts.set(partition.number, host)
    this.#toLoad.push(host)
    this.#loadNext()
  }

  /** Asked for with every request: made anew only where a setting changed. */
  #settings(): GroupSettings {
    const values = this.#parts.values()
    if (this.#settled?.values !== values) this.#settled = { values, settings: settingsOf(values) }
    return this.#settled.settings
  }

  #loadNext(): void {
    while (this.#loadCount < LOADS_AT_ONCE) {
      const host = this.#toLoad.shift()
      if (host === undefined) return
      this.#loadCount++
      void host.load().finally(() => {
        this.#loadCount--
        this.#loadNext()
      })
    }
  }

  #again(failed: Host): void {
    const timer = this.#env.clock.timer(LOAD_AGAIN_MS, () => {
      this.#retries.delete(timer)
      const { partition } = failed
      if (this.#hosts.get(partition.number) === failed) this.#led(partition)
    })
    this.#retries.add(timer)
  }

  // --- news ----------------------------------------------------------------------------------

  /** Partitions are open here before a member hears of them. */
  async #topicsChanged(topics: readonly ChangedTopic[], revision: number): Promise<void> {
    try {
      await this.#parts.reached(revision)
    } catch {
      return // The broker stops.
    }
    for (const host of this.#hosts.values()) {
      const machine = host.machineIfServing
      if (machine === undefined) continue
      const concerned = new Set(topics.flatMap((topic) => machine.groupsWith(topic)))
      await this.#tell(host, concerned, 'topicsChanged')
    }
  }

  /** Drops positions past their retention, and groups with nothing left. */
  async expire(): Promise<void> {
    // The wall clock was set: ages mean nothing for one check (trap T21).
    if (this.#steadyClock.wallMs() === undefined) return
    for (const host of this.#hosts.values()) {
      await this.#tell(host, host.machineIfServing?.groupIds() ?? [], 'expire')
    }
  }

  async #tell(host: Host, groupIds: Iterable<string>, news: News): Promise<void> {
    let count = 0
    for (const groupId of groupIds) {
      host.tell(groupId, news)
      if (++count % TOLD_AT_ONCE === 0)
        await new Promise<void>((resolve) => this.#env.clock.soon(resolve))
    }
  }
}

/** What is asked often and grows nothing is not looked at any further. */
function mayGrow(request: GroupRequest): boolean {
  if (request.kind === 'heartbeat') {
    const { memberEpoch, subscribedTopicNames } = request.body
    return memberEpoch === 0 || (memberEpoch > 0 && subscribedTopicNames !== null)
  }
  return request.kind === 'commit'
}

function tooMuch(what: string, setting: string, max: number): MinikafkaError {
  return new MinikafkaError('THROTTLING_QUOTA_EXCEEDED', {
    message: `this broker looks after ${what}, ${setting} allows ${max}: delete groups, or raise it`,
  })
}

function settingsOf(values: Values): GroupSettings {
  const sessionTimeoutMs = values['group.consumer.session.timeout.ms']
  return {
    sessionTimeoutMs,
    heartbeatIntervalMs: Math.min(
      values['group.consumer.heartbeat.interval.ms'],
      Math.floor(sessionTimeoutMs / 3),
    ),
    assignmentIntervalMs: values['group.consumer.assignment.interval.ms'],
    membersMax: values['group.max.size'],
    offsetsRetentionMs: values['offsets.retention.ms'],
    assignors: assignorNames(values),
  }
}
