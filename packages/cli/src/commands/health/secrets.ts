// What may not leave a broker, taken out of its settings. Enters: settings. Leaves: settings that may be shown. Pure.
import type { ConfigEntry } from '@minikafka/client'

/** Whatever a setting of that kind says stays where it is. The name of a file with a secret is none. */
const SECRET = /password|passphrase|secret|token|credential|private.?key/i
const FILE = /\.?(file|path)$/i
/** `etcd://user:password@host` */
const IN_ADDRESS = /(\w+:\/\/)[^/@\s]+@/g
const HIDDEN = '(hidden)'

export function withoutSecret(entry: ConfigEntry): ConfigEntry {
  const { name, value } = entry
  if (value === null || value === '') return entry
  if (SECRET.test(name) && !FILE.test(name)) return { ...entry, value: HIDDEN }
  return { ...entry, value: value.replace(IN_ADDRESS, `$1${HIDDEN}@`) }
}
