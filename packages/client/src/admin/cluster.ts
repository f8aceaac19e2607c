// What an admin asks of brokers: the cluster, its directories, its settings.
import { type Apis, MinikafkaError, type ResponseOf } from '@minikafka/protocol'
import { errorOf } from '../answers.ts'
import type { Deadline, Target } from '../core/index.ts'
import { changesOf } from './config.ts'
import type { Requests } from './requests.ts'
import type {
  BrokerProcess,
  ClusterDescription,
  ConfigChanges,
  ConfigEntry,
  LogDirDescription,
} from './types.ts'

const BROKER = 4

export async function describeCluster(
  requests: Requests,
  deadline: Deadline,
): Promise<ClusterDescription> {
  const { core } = requests
  return await requests.retry(deadline, async () => {
    const connection = await core.connect('any')
    const wait = { timeoutMs: Math.max(1, deadline.leftMs), signal: deadline.signal }
    const answer = await core.ask(connection, 'describeCluster', {}, wait)
    const dialled = core.connections.dialled(connection)
    const brokers = answer.brokers.map((broker) => ({
      ...broker,
      host: broker.host === '' ? dialled.host : broker.host,
      port: broker.port === 0 ? dialled.port : broker.port,
    }))
    return { ...answer, brokers }
  })
}

/** Of one broker, or of all. */
export async function logDirs(
  requests: Requests,
  brokerId: number | undefined,
  deadline: Deadline,
): Promise<LogDirDescription[]> {
  const { brokers } = await describeCluster(requests, deadline)
  const ids = brokers.map(({ nodeId }) => nodeId)
  if (brokerId !== undefined && !ids.includes(brokerId)) throw unknownBroker(brokerId, ids)
  const asked = brokerId === undefined ? ids : [brokerId]
  const found = asked.map(async (nodeId) => {
    const { results } = await requests.call('describeLogDirs', { names: null }, nodeId, deadline)
    return results.map((result) => described(nodeId, result))
  })
  return (await Promise.all(found)).flat()
}

/** Errors: INVALID_OPTION where there is no such broker. */
export async function describeBroker(
  requests: Requests,
  brokerId: number,
  deadline: Deadline,
): Promise<BrokerProcess> {
  const ids = (await describeCluster(requests, deadline)).brokers.map(({ nodeId }) => nodeId)
  if (!ids.includes(brokerId)) throw unknownBroker(brokerId, ids)
  const answer = await requests.call('describeBroker', {}, brokerId, deadline)
  const { nodeId, openFiles, openFilesMax, ...rest } = answer
  return {
    ...rest,
    brokerId: nodeId,
    openFiles: openFiles < 0 ? undefined : openFiles,
    openFilesMax: openFilesMax < 0 ? undefined : openFilesMax,
  }
}

function described(
  brokerId: number,
  result: ResponseOf<Apis['describeLogDirs']>['results'][number],
): LogDirDescription {
  const { logDir: path, totalBytes, usableBytes, topics } = result
  const trouble = errorOf(result)
  const description = { brokerId, path, totalBytes, usableBytes, topics }
  return trouble === undefined ? description : { ...description, error: trouble.message }
}

export async function brokerConfig(
  requests: Requests,
  brokerId: number | undefined,
  deadline: Deadline,
): Promise<ConfigEntry[]> {
  const { to, resourceName } = targetOf(brokerId)
  const request = { resources: [{ resourceType: BROKER, resourceName, names: null }] }
  const only = ({ results }: ResponseOf<Apis['describeConfigs']>) => results[0]
  const { result, error } = await requests.change('describeConfigs', request, to, {
    deadline,
    only,
  })
  if (error !== undefined) throw error
  return [...(result?.entries ?? [])]
}

export async function alterBrokerConfig(
  requests: Requests,
  change: ConfigChanges,
  brokerId: number | undefined,
  deadline: Deadline,
): Promise<void> {
  const { to, resourceName } = targetOf(brokerId)
  const resource = { resourceType: BROKER, resourceName, changes: changesOf(change) }
  const request = { resources: [resource], validateOnly: change.validateOnly === true }
  const only = ({ results }: ResponseOf<Apis['incrementalAlterConfigs']>) => results[0]
  const asked = { deadline, only }
  const { error } = await requests.change('incrementalAlterConfigs', request, to, asked)
  if (error !== undefined) throw error
}

/** A broker knows its own settings; the empty name is the whole cluster. */
function targetOf(brokerId: number | undefined): { to: Target; resourceName: string } {
  if (brokerId === undefined) return { to: 'controller', resourceName: '' }
  return { to: brokerId, resourceName: String(brokerId) }
}

function unknownBroker(brokerId: number, ids: readonly number[]): MinikafkaError {
  const message = `there is no broker ${brokerId}; there are ${ids.join(', ')}`
  return new MinikafkaError('INVALID_OPTION', { message, path: 'brokerId' })
}
