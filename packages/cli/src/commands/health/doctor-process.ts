// What doctor says of a process: its clock, its versions. Pure.
import type { BrokerProcess } from '@minikafka/client'
import { VERSION } from '../../version.ts'
import { durationText } from '../group-words.ts'
import type { Finding } from './finding.ts'

const SKEW_MS_WARN = 500
const SKEW_MS_BAD = 30_000
const NODE_MIN = [20, 19] as const

/** Half a round trip is what it can be wrong by. */
export function clockFinding(
  { brokerId, timeMs }: BrokerProcess,
  sentMs: number,
  answeredMs: number,
): Finding {
  const skewMs = timeMs - (sentMs + answeredMs) / 2
  const byMs = Math.abs(skewMs)
  const doubtMs = (answeredMs - sentMs) / 2
  const base = {
    about: 'clock',
    labels: { broker: String(brokerId) },
    figures: { clock_skew_seconds: skewMs / 1000 },
  }
  if (byMs - doubtMs < SKEW_MS_WARN)
    return { ...base, state: 'ok', what: `broker ${brokerId} and this machine agree on the time` }
  const way = skewMs > 0 ? 'ahead of' : 'behind'
  return {
    ...base,
    state: byMs >= SKEW_MS_BAD ? 'problem' : 'warning',
    what: `the clock of broker ${brokerId} is ${durationText(byMs)} ${way} the one of this machine: times of records, retention and lag in time are wrong by that`,
    todo: 'let NTP or chrony set the clocks of both machines',
  }
}

export function versionFinding({ brokerId, version }: BrokerProcess): Finding {
  const base = { about: 'version', labels: { broker: String(brokerId) } }
  const what = `broker ${brokerId} is version ${version}, this program ${VERSION}`
  if (version === VERSION) return { ...base, state: 'ok', what }
  const todo = 'they talk to each other all the same; upgrade the older one'
  return { ...base, state: 'warning', what, todo }
}

export function nodeFinding(who: string, nodeVersion: string): Finding {
  const [major = 0, minor = 0] = nodeVersion.replace(/^v/, '').split('.').map(Number)
  const what = `${who} runs on Node.js ${nodeVersion}`
  const isOld = major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1])
  if (isOld) {
    const todo = `install Node.js ${NODE_MIN.join('.')} or newer`
    return { about: 'node', state: 'problem', what, todo }
  }
  if (major % 2 === 0) return { about: 'node', state: 'ok', what }
  const todo = 'odd versions get no fixes for long: install an even one'
  return { about: 'node', state: 'warning', what, todo }
}
