// What an admin asks of brokers: the cluster, its directories, its settings.
import { errorOf } from '../answers.ts'
import type { Deadline, Target } from '../core/index.ts'
import type { Requests } from './requests.ts'
import type { ClusterDescription, Config, ConfigEntry, LogDirDescription } from './types.ts'

const BROKER = 4
const SET = 0

export async function describeCluster(
  requests: Requests,
  deadline: Deadline,
): Promise<ClusterDescription> {
  return requests.retry(deadline, async () => {
    const connection = await requests.core.connect('any')
    const answer = await requests.core.ask(
      connection,
      'describeCluster',
      {},
      { timeoutMs: Math.max(1, deadline.leftMs) },
    )
    const dialled = requests.core.connections.dialled(connection)
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
  const wanted = brokers
    .map(({ nodeId }) => nodeId)
    .filter((nodeId) => brokerId === undefined || nodeId === brokerId)
  const found: LogDirDescription[] = []
  for (const nodeId of wanted) {
    const { results } = await requests.call('describeLogDirs', { names: null }, nodeId, deadline)
    for (const { errorCode, errorMessage, logDir, totalBytes, usableBytes, topics } of results) {
      const trouble = errorOf({ errorCode, errorMessage })
      found.push({
        brokerId: nodeId,
        path: logDir,
        ...(trouble ? { error: trouble.message } : {}),
        totalBytes,
        usableBytes,
        topics,
      })
    }
  }
  return found
}

export async function brokerConfig(
  requests: Requests,
  brokerId: number | undefined,
  deadline: Deadline,
): Promise<ConfigEntry[]> {
  const to: Target = brokerId ?? 'controller'
  const resourceName = brokerId === undefined ? '' : String(brokerId)
  const request = { resources: [{ resourceType: BROKER, resourceName, names: null }] }
  const { results } = await requests.call('describeConfigs', request, to, deadline)
  const [result] = results
  const error = result && errorOf(result)
  if (error) throw error
  return [...(result?.entries ?? [])]
}

export async function alterBrokerConfig(
  requests: Requests,
  set: Config,
  brokerId: number | undefined,
  deadline: Deadline,
): Promise<void> {
  const changes = Object.entries(set).map(([name, value]) => ({
    name,
    operation: SET,
    value: String(value),
  }))
  const resourceName = brokerId === undefined ? '' : String(brokerId)
  const request = {
    resources: [{ resourceType: BROKER, resourceName, changes }],
    validateOnly: false,
  }
  const { results } = await requests.call(
    'incrementalAlterConfigs',
    request,
    brokerId ?? 'controller',
    deadline,
  )
  const error = results[0] && errorOf(results[0])
  if (error) throw error
}
