// DescribeConfigs: the settings of topics and of this broker, with the origin of each value.
//
// Versions   0.
// Behaviour  All settings, or those named; an unknown name is left out, as in Kafka.
import type { RequestOf, ResponseOf } from '@minikafka/protocol'
import { type Apis, MinikafkaError } from '@minikafka/protocol'
import { isDynamic, settingNames, settingRow, topicSettings } from '../config/index.ts'
import type { Rooms } from '../rooms.ts'
import { BROKER, brokerOf, TOPIC, unknownKind } from './config-resource.ts'
import type { Context } from './context.ts'
import { eachItem } from './each-item.ts'

type Request = RequestOf<Apis['describeConfigs']>
type Response = ResponseOf<Apis['describeConfigs']>
type Resource = Request['resources'][number]
type Entry = Response['results'][number]['entries'][number]

export async function describeConfigs(request: Request, { rooms }: Context): Promise<Response> {
  const results = await eachItem(
    request.resources,
    (resource) => ({ ...nameOf(resource), entries: entriesOf(resource, rooms) }),
    (resource) => ({ ...nameOf(resource), entries: [] as Entry[] }),
  )
  return { results }
}

function nameOf({ resourceType, resourceName }: Resource) {
  return { resourceType, resourceName }
}

function entriesOf(resource: Resource, rooms: Rooms): Entry[] {
  const wanted = resource.names && new Set(resource.names)
  const entries = allOf(resource, rooms).filter(({ name }) => wanted === null || wanted.has(name))
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
}

function allOf({ resourceType, resourceName }: Resource, rooms: Rooms): Entry[] {
  if (resourceType === TOPIC) return topicEntries(resourceName, rooms)
  if (resourceType !== BROKER) throw unknownKind(resourceType)
  brokerOf(resourceName, rooms)
  const { config } = rooms
  return settingNames.map((name) => ({
    name,
    value: String(config.values[name]),
    origin: config.originOf(name),
    readOnly: !isDynamic(name),
    about: settingRow(name).about,
  }))
}

function topicEntries(topicName: string, { state, config }: Rooms): Entry[] {
  const topic = state.topicByName(topicName)
  if (topic === undefined) {
    throw new MinikafkaError('UNKNOWN_TOPIC_OR_PARTITION', {
      message: `there is no topic ${topicName}`,
    })
  }
  return [...topicSettings].map(([name, setting]) => {
    const own = topic.config.get(name)
    return {
      name,
      value: own ?? String(config.values[setting]),
      origin: own === undefined ? config.originOf(setting) : 'topic',
      readOnly: false,
      about: settingRow(setting).about,
    }
  })
}
