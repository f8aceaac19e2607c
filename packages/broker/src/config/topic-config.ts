// The settings of one topic: its own values over the broker's. Enters: texts by topic name. Leaves: values, or INVALID_CONFIG.
import { MinikafkaError, nearest } from '@minikafka/protocol'
import { parseValue } from './parse.ts'
import { settingRow, type TopicValues, topicSettings, type Values } from './settings.ts'

export type TopicConfig = ReadonlyMap<string, string>

/** Checks one setting of a topic; throws INVALID_CONFIG {key} with what it expects. */
export function checkTopicSetting(name: string, text: string): number | string | boolean {
  const setting = topicSettings.get(name)
  if (setting === undefined) {
    const near = nearest(name, topicSettings.keys())
    const shown = JSON.stringify(name.slice(0, 80))
    throw invalid(
      name,
      `${shown} is not a setting of topics${near ? `: did you mean ${near}?` : ''}`,
    )
  }
  const parsed = parseValue(settingRow(setting), text)
  if ('value' in parsed) return parsed.value
  throw invalid(name, `${name}: ${parsed.error}, not ${JSON.stringify(text.slice(0, 80))}`)
}

function invalid(name: string, message: string): MinikafkaError {
  return new MinikafkaError('INVALID_CONFIG', { message, details: { key: name.slice(0, 255) } })
}

/** Of each key the last record stays: records must have keys. */
export function isCompacted(values: TopicValues): boolean {
  return values['cleanup.policy'] !== 'delete'
}

/** All values of a topic, frozen. What is stored was checked when it was set. */
export function resolveTopic(broker: Values, own: TopicConfig): TopicValues {
  const values: Record<string, number | string | boolean> = {}
  for (const [name, setting] of topicSettings) {
    const text = own.get(name)
    values[name] = text === undefined ? broker[setting] : checkTopicSetting(name, text)
  }
  return Object.freeze(values) as TopicValues
}
