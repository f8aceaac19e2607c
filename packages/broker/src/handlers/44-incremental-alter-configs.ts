// IncrementalAlterConfigs: changes single settings of topics and of this broker.
//
// Versions   0.
// Behaviour  Each resource by itself, all of its changes or none. In force here when answered.
import type { RequestOf, ResponseOf } from '@minikafka/protocol'
import { type Apis, MinikafkaError } from '@minikafka/protocol'
import { checkTopicSetting, InvalidConfig } from '../config/index.ts'
import type { Rooms } from '../rooms.ts'
import { BROKER, brokerOf, TOPIC, unknownKind } from './config-resource.ts'
import type { Context } from './context.ts'
import { eachItem } from './each-item.ts'
import { effectiveMinIsr } from './new-topic.ts'

type Request = RequestOf<Apis['incrementalAlterConfigs']>
type Response = ResponseOf<Apis['incrementalAlterConfigs']>
type Resource = Request['resources'][number]
type Texts = ReadonlyMap<string, string>

const SET = 0
const DELETE = 1

export async function incrementalAlterConfigs(
  request: Request,
  { rooms }: Context,
): Promise<Response> {
  const results = await eachItem(
    request.resources,
    async (resource) => {
      const rev = await alter(resource, request.validateOnly, rooms)
      if (rev !== undefined) await rooms.reached(rev)
      return nameOf(resource)
    },
    nameOf,
  )
  return { results }
}

function nameOf({ resourceType, resourceName }: Resource) {
  return { resourceType, resourceName }
}

async function alter(
  resource: Resource,
  validateOnly: boolean,
  rooms: Rooms,
): Promise<number | undefined> {
  const { resourceType, resourceName } = resource
  const options = { validateOnly }
  if (resourceType === TOPIC) {
    const { rev } = await rooms.controller.alterTopicConfig(
      { name: resourceName },
      (current) => changed(current, resource, checkTopicSetting),
      (config, replicationFactor) =>
        effectiveMinIsr(config, rooms.config.values, replicationFactor),
      options,
    )
    return validateOnly ? undefined : rev
  }
  if (resourceType !== BROKER) throw unknownKind(resourceType)
  const { rev } = await rooms.controller.alterBrokerConfig(
    brokerOf(resourceName, rooms),
    (current) => changed(current, resource, (name, text) => checkBroker(name, text, rooms)),
    options,
  )
  return validateOnly ? undefined : rev
}

/** The settings after the changes; every value that is set is checked first. */
function changed(
  current: Texts,
  { changes }: Resource,
  check: (name: string, text: string) => unknown,
): Texts {
  const next = new Map(current)
  for (const { name, operation, value } of changes) {
    if (operation === DELETE) next.delete(name)
    else if (operation === SET && value !== null) {
      check(name, value)
      next.set(name, value)
    } else {
      throw new MinikafkaError('INVALID_REQUEST', {
        message: `${name}: operation ${operation}${value === null ? ' without a value' : ''}: expected 0 (set) or 1 (delete)`,
      })
    }
  }
  return next
}

function checkBroker(name: string, text: string, { config }: Rooms): void {
  try {
    config.checkDynamic(name, text)
  } catch (error) {
    if (!(error instanceof InvalidConfig)) throw error
    throw new MinikafkaError('INVALID_CONFIG', {
      message: error.message,
      details: { key: name.slice(0, 255) },
    })
  }
}
