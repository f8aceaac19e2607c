// The admin: asks for changes and descriptions, retries what heals, says the nearest name of what is not there.
import { MinikafkaError } from '@minikafka/protocol'
import type { Core, OptionRules } from '../core/index.ts'
import { anything, boolean, checkOptions, integer, waitRules } from '../core/index.ts'
import type { Done, OffsetSpec, PartitionLag, Partitions, TopicPartition, Wait } from '../words.ts'
import {
  alterBrokerConfig,
  brokerConfig,
  describeBroker,
  describeCluster,
  logDirs,
} from './cluster.ts'
import type { GroupDescription, GroupSummary, ResetOffset, ResetOffsets } from './group-types.ts'
import {
  deleteGroup,
  deleteOffsets,
  describeGroup,
  groupLag,
  listGroups,
  removeMember,
} from './groups.ts'
import { clusterHealth } from './health.ts'
import { offsetsOf } from './offsets.ts'
import { checkPoint } from './point.ts'
import { Requests } from './requests.ts'
import { resetOffsets } from './reset-offsets.ts'
import {
  addPartitions,
  alterTopic,
  createTopic,
  deleteRecords,
  deleteTopic,
  describeTopic,
  listTopics,
} from './topics.ts'
import type {
  Admin,
  BrokerProcess,
  ClusterDescription,
  ClusterHealth,
  ConfigChanges,
  ConfigEntry,
  CreateTopicOptions,
  LogDirDescription,
  TopicDescription,
} from './types.ts'

export function openAdmin(core: Core): Admin {
  return new CoreAdmin(core)
}

const createRules: OptionRules<CreateTopicOptions> = {
  partitions: integer(1, 2 ** 31 - 1),
  replicas: integer(1, 32_767),
  config: anything,
  ifNotExists: boolean,
  validateOnly: boolean,
}

const changeRules: OptionRules<ConfigChanges> = {
  set: anything,
  delete: anything,
  validateOnly: boolean,
}

const resetRules: OptionRules<ResetOffsets> = {
  topics: (value) =>
    Array.isArray(value) && value.every((name) => typeof name === 'string')
      ? undefined
      : 'a list of topic names',
  to: anything,
  dryRun: boolean,
}

class CoreAdmin implements Admin {
  readonly #core: Core
  readonly #requests: Requests
  #isClosed = false

  constructor(core: Core) {
    this.#core = core
    this.#requests = new Requests(core)
  }

  async createTopic(
    name: string,
    options?: CreateTopicOptions,
    wait?: Wait,
  ): Promise<TopicDescription> {
    const checked = checkOptions<CreateTopicOptions>('admin.createTopic', options, createRules)
    return createTopic(
      this.#requests,
      name,
      checked,
      this.#deadline(wait, `creating topic '${name}'`),
    )
  }

  async listTopics(
    options?: { internal?: boolean | undefined },
    wait?: Wait,
  ): Promise<TopicDescription[]> {
    const { internal = false } = checkOptions<{ internal?: boolean | undefined }>(
      'admin.listTopics',
      options,
      { internal: boolean },
    )
    return listTopics(this.#requests, internal, this.#deadline(wait, 'listing topics'))
  }

  async describeTopic(name: string, wait?: Wait): Promise<TopicDescription> {
    return describeTopic(this.#requests, name, this.#deadline(wait, `describing topic '${name}'`))
  }

  async alterTopic(name: string, change: ConfigChanges, wait?: Wait): Done {
    const checked = checkOptions<ConfigChanges>('admin.alterTopic', change, changeRules)
    const deadline = this.#deadline(wait, `changing topic '${name}'`)
    return alterTopic(this.#requests, name, checked, deadline)
  }

  async addPartitions(
    name: string,
    total: number,
    options?: { validateOnly?: boolean | undefined },
    wait?: Wait,
  ): Done {
    const { validateOnly = false } = checkOptions<{ validateOnly?: boolean | undefined }>(
      'admin.addPartitions',
      options,
      { validateOnly: boolean },
    )
    const deadline = this.#deadline(wait, `growing topic '${name}'`)
    return addPartitions(this.#requests, name, { total, validateOnly }, deadline)
  }

  async deleteTopic(name: string, options?: { ifExists?: boolean | undefined }, wait?: Wait): Done {
    const { ifExists = false } = checkOptions<{ ifExists?: boolean | undefined }>(
      'admin.deleteTopic',
      options,
      { ifExists: boolean },
    )
    return deleteTopic(
      this.#requests,
      name,
      ifExists,
      this.#deadline(wait, `deleting topic '${name}'`),
    )
  }

  async deleteRecords(name: string, before: Readonly<Record<number, number>>, wait?: Wait): Done {
    return deleteRecords(
      this.#requests,
      name,
      before,
      this.#deadline(wait, `deleting records of '${name}'`),
    )
  }

  async offsets(
    name: string,
    at: OffsetSpec,
    wait?: Wait,
  ): Promise<(TopicPartition & { offset: number })[]> {
    const deadline = this.#deadline(wait, `offsets of '${name}'`)
    checkPoint('admin.offsets', at)
    const found = await this.#requests.retry(deadline, async () => {
      const timeoutMs = Math.max(1, deadline.leftMs)
      const known = { timeoutMs, signal: deadline.signal, create: false }
      const topic = await this.#core.metadata.topic(name, known)
      const partitions = topic.partitions.map(({ partition }) => partition)
      return await offsetsOf(this.#core, { topic, partitions }, at, deadline)
    })
    return [...found]
      .sort(([a], [b]) => a - b)
      .map(([partition, offset]) => ({ topic: name, partition, offset }))
  }

  async listGroups(wait?: Wait): Promise<GroupSummary[]> {
    return listGroups(this.#requests, this.#deadline(wait, 'listing groups'))
  }

  async describeGroup(group: string, wait?: Wait): Promise<GroupDescription> {
    return describeGroup(this.#requests, group, this.#deadline(wait, `describing group '${group}'`))
  }

  async lag(group: string, wait?: Wait): Promise<PartitionLag[]> {
    return groupLag(this.#requests, group, this.#deadline(wait, `the lag of group '${group}'`))
  }

  async resetOffsets(group: string, to: ResetOffsets, wait?: Wait): Promise<ResetOffset[]> {
    const options = checkOptions<ResetOffsets>('admin.resetOffsets', to, resetRules)
    const deadline = this.#deadline(wait, `resetting offsets of group '${group}'`)
    return resetOffsets(this.#requests, group, options, deadline)
  }

  async deleteOffsets(group: string, what: Partitions, wait?: Wait): Done {
    const deadline = this.#deadline(wait, `deleting offsets of group '${group}'`)
    return deleteOffsets(this.#requests, group, what, deadline)
  }

  async deleteGroup(group: string, wait?: Wait): Done {
    return deleteGroup(this.#requests, group, this.#deadline(wait, `deleting group '${group}'`))
  }

  async removeMember(group: string, memberId: string, wait?: Wait): Done {
    const deadline = this.#deadline(wait, `removing a member of group '${group}'`)
    return removeMember(this.#requests, group, memberId, deadline)
  }

  async cluster(wait?: Wait): Promise<ClusterDescription> {
    return describeCluster(this.#requests, this.#deadline(wait, 'describing the cluster'))
  }

  async health(wait?: Wait): Promise<ClusterHealth> {
    return clusterHealth(this.#requests, this.#deadline(wait, 'asking for the health'))
  }

  async describeBroker(brokerId: number, wait?: Wait): Promise<BrokerProcess> {
    const deadline = this.#deadline(wait, `describing broker ${brokerId}`)
    return describeBroker(this.#requests, brokerId, deadline)
  }

  async logDirs(brokerId?: number, wait?: Wait): Promise<LogDirDescription[]> {
    return logDirs(this.#requests, brokerId, this.#deadline(wait, 'describing data directories'))
  }

  async brokerConfig(brokerId?: number, wait?: Wait): Promise<ConfigEntry[]> {
    return brokerConfig(this.#requests, brokerId, this.#deadline(wait, 'reading settings'))
  }

  async alterBrokerConfig(change: ConfigChanges, brokerId?: number, wait?: Wait): Done {
    const checked = checkOptions<ConfigChanges>('admin.alterBrokerConfig', change, changeRules)
    const deadline = this.#deadline(wait, 'changing settings')
    return alterBrokerConfig(this.#requests, checked, brokerId, deadline)
  }

  /** Holds nothing of its own: the connections are the client's. */
  async close(): Done {
    this.#isClosed = true
  }

  [Symbol.asyncDispose](): Done {
    return this.close()
  }

  #deadline(wait: Wait | undefined, what: string) {
    checkOptions<Wait>('admin', wait, waitRules)
    this.#core.throwIfClosed()
    if (this.#isClosed) throw new MinikafkaError('CLOSED', { message: 'the admin is closed' })
    return this.#requests.deadline(wait, what)
  }
}
