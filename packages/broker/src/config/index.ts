// The door of the configuration room.
export {
  advertisedAddresses,
  isLoopback,
  type ListenerSpec,
  listenerSpecs,
  pagesAddress,
} from './endpoints.ts'
export { InvalidConfig } from './invalid-config.ts'
export {
  assignorNames,
  flagName,
  isSettingName,
  type Layers,
  unknownName,
  variableName,
} from './layers.ts'
export { LiveConfig } from './live.ts'
export { expectation, format } from './parse.ts'
export {
  isDynamic,
  type Row,
  type SettingName,
  settingNames,
  settingRow,
  type TopicValues,
  topicSettings,
  type Values,
} from './settings.ts'
export { checkTopicSetting, isCompacted, resolveTopic, type TopicConfig } from './topic-config.ts'
