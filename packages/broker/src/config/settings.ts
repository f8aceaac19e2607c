// Every setting, a row each. Flags, variables, file keys, checks, help and docs/config.md are derived from these rows.
// Names are Kafka's where Kafka has one; `topic` is the name under which a topic may set its own value.
import { brokerSettings } from './broker-settings.ts'
import { groupSettings } from './group-settings.ts'
import { logSettings } from './log-settings.ts'
import {
  type ChoiceRow,
  defineSettings,
  type FlagRow,
  HOUR,
  type NumberRow,
  type Row,
  SECOND,
} from './setting-rows.ts'

export type { Row }

export const settings = defineSettings({
  ...brokerSettings,
  ...logSettings,
  ...groupSettings,
  'shutdown.timeout.ms': {
    type: 'duration',
    default: 30 * SECOND,
    range: [SECOND, HOUR],
    dynamic: true,
    about: 'How long a stop may take in all; requests in flight get at most half of it.',
  },
})

export type Settings = typeof settings
export type SettingName = keyof Settings
type ValueOf<R extends Row> = R extends NumberRow
  ? number
  : R extends FlagRow
    ? boolean
    : R extends ChoiceRow
      ? R['choices'][number]
      : string
/** A value for every row, by name. Frozen; resolved once at start or at a change. */
export type Values = { readonly [K in SettingName]: ValueOf<Settings[K]> }

export type TopicSettingName = {
  [K in SettingName]: Settings[K] extends { readonly topic: infer T extends string } ? T : never
}[SettingName]
type RowNameOfTopic<T extends TopicSettingName> = {
  [K in SettingName]: Settings[K] extends { readonly topic: T } ? K : never
}[SettingName]
/** A value for every setting that a topic may have, by its topic name. */
export type TopicValues = { readonly [T in TopicSettingName]: Values[RowNameOfTopic<T>] }

export const settingNames = Object.keys(settings) as readonly SettingName[]

export function settingRow(name: SettingName): Row {
  return settings[name]
}

/** Broker setting behind each topic setting, by the topic's name. */
export const topicSettings: ReadonlyMap<string, SettingName> = new Map(
  settingNames.flatMap((name) => {
    const { topic } = settingRow(name)
    return topic === undefined ? [] : [[topic, name] as const]
  }),
)

export function isDynamic(name: SettingName): boolean {
  const row = settingRow(name)
  return row.dynamic === true || row.topic !== undefined
}
