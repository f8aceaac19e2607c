// Processes that run seeds. Enters: jobs. Leaves: outcomes; of a seed that hangs or takes its process along, too.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { undoAtExit } from '../at-exit.ts'
import type { Outcome } from './scenarios.ts'
import type { Job } from './worker.ts'

const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url))
const SOURCE = ['--import', 'tsx', '--conditions=@minikafka/source', '--max-old-space-size=1024']
/** Real time for one seed: then it turns in a circle. */
const SEED_MS_MAX = 180_000
/** What a run leaves behind in its process is let go with the process. */
const SEEDS_PER_PROCESS = 200

export class Worker implements Disposable {
  readonly #script: string
  #child: ChildProcess | undefined
  #forget: () => void = () => undefined
  #seeds = 0

  /** `script`: the worker of another tree. */
  constructor(script: string = WORKER) {
    this.#script = script
  }

  /** One at a time. */
  async run(job: Job): Promise<Outcome> {
    if (this.#seeds++ % SEEDS_PER_PROCESS === 0) this.end()
    this.#child ??= this.#start()
    const child = this.#child
    return await new Promise((resolve) => {
      const settle = (outcome: Outcome) => {
        clearTimeout(watchdog)
        child.removeAllListeners('message').removeAllListeners('exit')
        resolve(outcome)
      }
      const give = (oracle: string, message: string) => {
        this.end()
        settle(without(job.seed, oracle, message))
      }
      const watchdog = setTimeout(() => give('hang', `no end after ${SEED_MS_MAX} ms`), SEED_MS_MAX)
      child.once('message', (outcome) => settle(outcome as Outcome))
      child.once('exit', (code, signal) =>
        give('process', `its process ended with ${code ?? signal}`),
      )
      child.send(job)
    })
  }

  end(): void {
    this.#child?.removeAllListeners('exit')
    this.#forget()
    this.#child = undefined
  }

  [Symbol.dispose](): void {
    this.end()
  }

  #start(): ChildProcess {
    const child = fork(this.#script, {
      execArgv: SOURCE,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#forget = undoAtExit(() => child.kill('SIGKILL'))
    return child
  }
}

function without(seed: number, oracle: string, message: string): Outcome {
  const nothing = { counts: {}, events: 0, virtualMs: 0, hash: '', timeline: [], buggify: {} }
  return { seed, violation: { oracle, message }, ...nothing }
}

/** Runs `jobs` on so many processes; `done` is told of each and may end it all by answering false. */
export async function runAll(
  jobs: Iterable<Job>,
  workerCount: number,
  done: (outcome: Outcome) => Promise<boolean>,
): Promise<void> {
  const left = jobs[Symbol.iterator]()
  let isOver = false
  const work = async () => {
    using worker = new Worker()
    for (let next = left.next(); !next.done && !isOver; next = left.next()) {
      if (!(await done(await worker.run(next.value)))) isOver = true
    }
  }
  await Promise.all(Array.from({ length: workerCount }, work))
}
