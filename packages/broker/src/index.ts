// The front door of the broker, for those who run it in their own process (`testing` does).
export { type Broker, type Progress, startBroker } from './broker.ts'
export {
  InvalidConfig,
  type Layers,
  LiveConfig,
  type Row,
  type SettingName,
  settingNames,
  settingRow,
  topicSettings,
  type Values,
} from './config/index.ts'
export type { Through } from './dispatch.ts'
export { type InspectLine, StartError, verifyDirectory } from './log/index.ts'
export { Pages } from './metrics/index.ts'
export type { PartitionFacts } from './partition/index.ts'
export { VERSION } from './version.ts'
