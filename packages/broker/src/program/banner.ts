// What a broker says of itself on a terminal once it serves. Enters: facts. Leaves: lines that fit. Pure.

export type BannerFacts = {
  readonly version: string
  readonly nodeId: number
  readonly clusterId: string
  readonly pid: number
  /** `127.0.0.1:9092`, each with its name where it is not the default. */
  readonly listens: readonly string[]
  readonly advertised: string
  readonly httpPort: number | undefined
  readonly isLoopbackOnly: boolean
  readonly dataDir: string
  readonly partitions: number
  readonly directory: 'new' | 'clean' | 'recovered'
  readonly flush: string
  readonly freeBytes: number
  readonly readyMs: number
  /** Arguments of minikafka that are worth a try. */
  readonly next: string
}

const GAP = '   '
const INDENT = '         '

export function bannerOf(facts: BannerFacts, width: number): string {
  const { advertised, httpPort, isLoopbackOnly, partitions, freeBytes } = facts
  const dialled = advertised === '' ? 'advertised as dialled' : `advertised ${advertised}`
  const http = httpPort === undefined ? '' : `, http ${httpPort}`
  const lines = [
    [
      `minikafka-broker ${facts.version}`,
      `node ${facts.nodeId}`,
      `cluster ${facts.clusterId} (single)`,
      `pid ${facts.pid}`,
    ],
    [
      `  listen ${facts.listens.join(', ')} (${dialled}${http})`,
      `auth: none${isLoopbackOnly ? ', loopback only' : ''}`,
    ],
    [
      `  data   ${facts.dataDir}`,
      `${partitions} ${partitions === 1 ? 'partition' : 'partitions'}, ${facts.directory}`,
      `flush: ${facts.flush}`,
      `free ${(freeBytes / 1024 ** 3).toFixed(0)} GiB`,
    ],
    [`ready in ${facts.readyMs} ms - try: npx minikafka ${facts.next}`],
  ]
  return `${lines.map((parts) => fit(parts, width)).join('\n')}\n`
}

/** What has no room on a line goes to the next one, whole. */
function fit(parts: readonly string[], width: number): string {
  const lines: string[] = []
  let line = ''
  for (const part of parts) {
    if (line !== '' && line.length + GAP.length + part.length > width) {
      lines.push(line)
      line = INDENT + part
    } else line = line === '' ? part : line + GAP + part
  }
  return [...lines, line].join('\n')
}
