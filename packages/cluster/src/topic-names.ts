// What a topic may be called. Source: Kafka's Topic.java; SECURITY rows 31, 32.

const LENGTH_MAX = 249

/** Why this is no legal name; undefined: it is one. Names that differ only in `.` and `_` are different. */
export function topicNameError(name: string): string | undefined {
  if (name === '') return 'the name is empty'
  if (name === '.' || name === '..') return `${JSON.stringify(name)} names a directory`
  if (name.length > LENGTH_MAX)
    return `the name has ${name.length} characters, the most is ${LENGTH_MAX}`
  const wrong = /[^a-zA-Z0-9._-]/u.exec(name)?.[0]
  if (wrong === undefined) return undefined
  return `${JSON.stringify(wrong)} is not allowed in a name: use a-z A-Z 0-9 . _ -`
}

/** Kept by the brokers for themselves. */
export function isInternalTopic(name: string): boolean {
  return name.startsWith('__')
}
