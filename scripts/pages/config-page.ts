// docs/config.md. Enters: the rows of the broker's settings. Leaves: each with its names, range and default.
import {
  expectation,
  flagName,
  format,
  isDynamic,
  type SettingName,
  settingNames,
  settingRow,
  variableName,
} from '../../packages/broker/src/config/index.ts'
import { table } from './table.ts'

const INTRODUCTION = `# Settings

Derived from \`packages/broker/src/config/settings.ts\` by \`npm run docs\`; do not edit.

\`log.level\` is the flag \`--log-level\`, the variable \`MINIKAFKA_LOG_LEVEL\`, and \`log.level\` in the YAML file that
\`--config\` names. A flag wins over the environment, that over the file, that over what was changed while running,
that over the default. Sizes and times take units: \`64MiB\`, \`15s\`, \`7d\`.

*Changed while running*: by \`minikafka topic alter\` for a topic, by an admin client for a broker; the others need a
restart. A setting with a topic's name is the default of the topics that do not set their own.
`

export function configPage(): string {
  const ofTopics = settingNames.filter((name) => settingRow(name).topic !== undefined)
  const ofBroker = settingNames.filter((name) => settingRow(name).topic === undefined)
  return [
    INTRODUCTION,
    '## Topics\n',
    `${table(['topic setting', 'broker setting', 'default', 'value', 'what it does'], ofTopics.map(topicCells))}\n`,
    '## Broker\n',
    `${table(['setting', 'default', 'value', 'changed while running', 'what it does'], ofBroker.map(brokerCells))}\n`,
    '## Flags and variables\n',
    `${table(['setting', 'flag', 'variable'], settingNames.map(nameCells))}\n`,
  ].join('\n')
}

function topicCells(name: SettingName): string[] {
  const row = settingRow(name)
  return [code(row.topic ?? ''), code(name), defaultText(name), expectation(row), row.about]
}

function brokerCells(name: SettingName): string[] {
  const row = settingRow(name)
  const changes = isDynamic(name) ? 'yes' : 'no'
  return [code(name), defaultText(name), expectation(row), changes, row.about]
}

function nameCells(name: SettingName): string[] {
  return [code(name), code(flagName(name)), code(variableName(name))]
}

function defaultText(name: SettingName): string {
  const row = settingRow(name)
  if (row.default === '') return 'none'
  return code(format(row, row.default))
}

function code(text: string): string {
  return `\`${text}\``
}
