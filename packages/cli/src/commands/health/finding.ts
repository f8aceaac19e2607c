// What doctor and check find. Enters: findings. Leaves: text, JSON, a line for Nagios, metrics for Prometheus; whether all is well.
import { EXIT, type ExitCode, Failure } from '../../failures.ts'
import { plain, wrap } from '../../plain-text.ts'
import type { Session } from '../../session.ts'
import { lineWidth } from '../../table.ts'

export type Finding = Found &
  ({ readonly state: 'ok' } | { readonly state: 'warning' | 'problem'; readonly todo: string })

type Found = {
  /** What was looked at: `clock`. */
  readonly about: string
  readonly what: string
  /** What to do about it; where nothing is wrong: nothing. */
  readonly todo?: string
  /** It is not there at all: another exit code. */
  readonly isMissing?: true
  /** Figures for monitoring; names end in their unit. */
  readonly figures?: Readonly<Record<string, number>>
  /** Which one of several: `{ broker: '1' }`. */
  readonly labels?: Readonly<Record<string, string>>
}

export type Format = 'nagios' | 'prometheus' | undefined

export async function printFindings(session: Session, findings: readonly Finding[]): Promise<void> {
  if (session.output === 'json') return session.print(`${JSON.stringify(findings, null, 2)}\n`)
  if (session.output === 'jsonl') {
    for (const finding of findings) await session.print(`${JSON.stringify(finding)}\n`)
    return
  }
  const { default: picocolors } = await import('picocolors')
  const { green, yellow, red } = picocolors.createColors(session.colors)
  const paint = { ok: green, warning: yellow, problem: red }
  const width = lineWidth(session)
  for (const { state, about, what, todo } of findings) {
    const head = `${paint[state](state.padEnd(7))}  ${about.padEnd(8)}  `
    await session.print(`${head}${hang(what, width)}\n`)
    if (todo !== undefined)
      await session.print(`${' '.repeat(INDENT)}${hang(`-> ${todo}`, width)}\n`)
  }
}

const INDENT = 19

/** Lines after the first stand under it. */
function hang(text: string, width: number): string {
  return wrap(plain(text), Math.max(1, width - INDENT)).join(`\n${' '.repeat(INDENT)}`)
}

/** The end of doctor and of checks without a format. */
export function judge(findings: readonly Finding[]): void {
  const problems = findings.filter(({ state }) => state === 'problem')
  if (problems.length === 0) return
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  throw new Failure(`${count} found`, isOnlyMissing(problems) ? EXIT.notFound : EXIT.failed)
}

function isOnlyMissing(problems: readonly Finding[]): boolean {
  return problems.every(({ isMissing = false }) => isMissing)
}

// --- Nagios ----------------------------------------------------------------------------------------

/** Development guidelines of Nagios plugins: one line, figures behind a bar, the state as exit code. */
export async function printNagios(
  session: Session,
  name: string,
  findings: readonly Finding[],
): Promise<void> {
  const bad = findings.filter(({ state }) => state === 'problem')
  const warnings = findings.filter(({ state }) => state === 'warning')
  const state = nagiosState(bad, warnings)
  const told = bad.length > 0 ? bad : warnings.length > 0 ? warnings : findings
  const words = told.map(({ what }) => plain(what).replaceAll('|', '/')).join('; ')
  const figures = findings.flatMap(({ figures = {}, labels = {} }) =>
    Object.entries(figures).map(
      ([figure, value]) => `'${[...Object.values(labels), figure].join(' ')}'=${value}`,
    ),
  )
  const tail = figures.length === 0 ? '' : ` | ${figures.join(' ')}`
  await session.print(`MINIKAFKA ${name.toUpperCase()} ${state} - ${words}${tail}\n`)
  if (state !== 'OK') throw new Failure(words, NAGIOS_EXIT[state])
}

const NAGIOS_EXIT = { WARNING: 1, CRITICAL: 2, UNKNOWN: 3 } as const satisfies Record<
  string,
  ExitCode
>

/** What is not there may be mistyped: nothing is known of it. */
function nagiosState(bad: readonly Finding[], warnings: readonly Finding[]) {
  if (bad.length > 0) return isOnlyMissing(bad) ? 'UNKNOWN' : 'CRITICAL'
  return warnings.length > 0 ? 'WARNING' : 'OK'
}

// --- Prometheus ------------------------------------------------------------------------------------

export async function printPrometheus(
  session: Session,
  name: string,
  findings: readonly Finding[],
): Promise<void> {
  await session.print(prometheusText(name, findings))
  judge(findings)
}

export function prometheusText(name: string, findings: readonly Finding[]): string {
  const samples = new Map<string, string[]>()
  const add = (metric: string, labels: Readonly<Record<string, string>>, value: number) => {
    const pairs = Object.entries({ check: name, ...labels })
      .map(([label, text]) => `${label}="${escaped(text)}"`)
      .join(',')
    samples.set(metric, [...(samples.get(metric) ?? []), `${metric}{${pairs}} ${value}`])
  }
  for (const { state, figures = {}, labels = {} } of findings) {
    add('minikafka_check_ok', labels, state === 'problem' ? 0 : 1)
    for (const [figure, value] of Object.entries(figures))
      add(`minikafka_check_${figure}`, labels, value)
  }
  return [...samples]
    .map(([metric, lines]) => `# TYPE ${metric} gauge\n${lines.join('\n')}\n`)
    .join('')
}

function escaped(text: string): string {
  return text.replace(/[\\"\n]/g, (char) => (char === '\n' ? '\\n' : `\\${char}`))
}
