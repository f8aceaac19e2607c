// Serving: start, say so, obey signals, stop. Enters: the layers of the configuration. Leaves: an exit code.
import { createLogger, type Env } from '@minikafka/platform'
import { type Broker, type Progress, startBroker } from '../broker.ts'
import {
  InvalidConfig,
  isLoopback,
  type Layers,
  LiveConfig,
  listenerSpecs,
  pagesAddress,
} from '../config/index.ts'
import { EXIT, StartError } from '../log/index.ts'
import { Pages } from '../metrics/index.ts'
import { VERSION } from '../version.ts'
import { bannerOf } from './banner.ts'
import { Reload } from './reload.ts'

/** A second signal ends at once; 128 + its number, as shells say it. */
const EXIT_BY_SIGNAL = { SIGINT: 130, SIGTERM: 143 } as const
const BAR_AFTER_MS = 500
const DEV_PORT_WANTED = 9092

export async function serve(
  outside: Env,
  given: Layers,
  options: { dev: boolean; configFile: string | undefined },
): Promise<void> {
  const { program } = outside
  if (program.platform === 'win32' && !options.dev) {
    throw new InvalidConfig('dev', 'on Windows the broker serves with --dev only')
  }
  const layers = options.dev ? await devLayers(outside, given) : given
  const config = new LiveConfig(layers)
  const pretty = isPretty(outside, config)
  const level = config.values['log.level']
  const logger = await createLogger({
    level,
    format: pretty ? 'pretty' : 'json',
    destination: pretty ? 'stderr' : 'stdout',
  })
  const env: Env = { ...outside, logger }
  program.onFatal((error) => {
    logger.fatal({ err: error }, 'unexpected error, the broker stops at once')
    program.exit(error instanceof Error && error.name === 'AssertionError' ? 70 : 1)
  })
  warn(env, config)
  const stopAsked = obeySignals(env, config, options.configFile)
  let broker: Broker
  const pages = await openPages(env, config)
  const bar = recoveryBar(env, pretty)
  try {
    broker = await startWithPort(env, config, options.dev, (what, done, total) => {
      bar.progress(what, done, total)
      pages?.recovering(done, total)
    })
  } catch (error) {
    await pages?.close()
    throw error
  } finally {
    bar.stop()
  }
  pages?.serving(broker.watched)
  await sayReady(env, config, broker, { pretty, pages })
  const error = await Promise.race([broker.failed, stopAsked])
  pages?.stopping()
  if (error === undefined) return stopInOrder(env, config, broker, { dev: options.dev, pages })
  logger.fatal(
    { err: error },
    'the data directory failed: the broker stops, the next start recovers',
  )
  await broker.close({ clean: false })
  await pages?.close()
  program.exit(EXIT.io)
}

// --- a broker to play with -----------------------------------------------------------------------

async function devLayers(env: Env, given: Layers): Promise<Layers> {
  const directory = `${env.program.temporaryDirectory}/minikafka-dev-${env.random.uuid().slice(0, 8)}`
  const flags = new Map([
    ['data.dir', directory],
    ['auto.create.topics.enable', 'true'],
    ['flush', 'os'],
    ...(given.flags ?? []),
  ])
  return { ...given, flags }
}

/** With --dev a taken port 9092 gives way to a free one. */
async function startWithPort(
  env: Env,
  config: LiveConfig,
  dev: boolean,
  onProgress: Progress,
): Promise<Broker> {
  try {
    return await startBroker(env, config, onProgress)
  } catch (error) {
    const taken =
      error instanceof StartError &&
      (error.cause as { code?: string } | undefined)?.code === 'EADDRINUSE'
    if (!dev || !taken || config.values.port !== DEV_PORT_WANTED) throw error
    config.takeAnyPort()
    return startBroker(env, config, onProgress)
  }
}

/** Metrics and health: a broker serves without them, and says so. */
async function openPages(env: Env, config: LiveConfig): Promise<Pages | undefined> {
  const at = pagesAddress(config.values)
  if (at === undefined) return undefined
  try {
    return await Pages.open(env, at)
  } catch (error) {
    const code = (error as { code?: string }).code
    env.logger.warn(
      { ...at, code },
      'no metrics and health: that address cannot be listened on; choose another with http.host and http.port',
    )
    return undefined
  }
}

// --- words ---------------------------------------------------------------------------------------

function isPretty({ program }: Env, config: LiveConfig): boolean {
  const wanted = config.values['log.format']
  return wanted === 'pretty' || (wanted === 'auto' && program.stderr.isTTY)
}

function warn(env: Env, config: LiveConfig): void {
  for (const warning of config.warnings) env.logger.warn(warning)
  const { values } = config
  for (const { name, bind } of listenerSpecs(values)) {
    if (isLoopback(bind.host)) continue
    env.logger.warn(
      { listener: name, ...bind },
      'listener is open to the network without TLS and authentication (allow.insecure)',
    )
  }
  if (values.flush !== 'group')
    env.logger.warn({ flush: values.flush }, 'a power cut can lose acknowledged records')
}

async function sayReady(
  env: Env,
  config: LiveConfig,
  broker: Broker,
  { pretty, pages }: { pretty: boolean; pages: Pages | undefined },
): Promise<void> {
  const { program, logger } = env
  const { values } = config
  const readyMs = Math.round(program.uptimeMs())
  const facts = {
    version: VERSION,
    nodeId: broker.nodeId,
    clusterId: broker.clusterId,
    pid: program.pid,
    host: broker.address.host,
    port: broker.address.port,
    httpPort: pages?.address.port,
    dataDir: values['data.dir'],
    partitions: broker.partitionCount,
    clean: broker.wasClean,
    readyMs,
  }
  if (!pretty) return logger.info(facts, 'ready')
  const listens = [...broker.addresses].map(
    ([name, { host, port }]) => `${name === 'default' ? '' : `${name} `}${host}:${port}`,
  )
  const port = broker.address.port === DEV_PORT_WANTED ? '' : ` -b 127.0.0.1:${broker.address.port}`
  const next = broker.partitionCount === 0 ? 'topic create hello' : 'topic list'
  const { isTTY, columns } = program.stderr
  const banner = bannerOf(
    {
      ...facts,
      listens,
      advertised: values.advertised,
      isLoopbackOnly: listenerSpecs(values).every(({ bind }) => isLoopback(bind.host)),
      directory: broker.isNewDirectory ? 'new' : broker.wasClean ? 'clean' : 'recovered',
      flush: values.flush,
      freeBytes: await broker.freeBytes(),
      next: `${next}${port}`,
    },
    isTTY ? columns : Number.POSITIVE_INFINITY,
  )
  await program.stderr.write(banner)
}

/** A bar on a terminal while logs are recovered, once it takes longer than half a second. */
function recoveryBar(env: Env, pretty: boolean): { progress: Progress; stop(): void } {
  const beganMs = env.clock.monotonicMs()
  let bar: { update(done: number): void; stop(): void } | undefined
  let loading = false
  const progress: Progress = (_what, done, total) => {
    bar?.update(done)
    if (!pretty || loading || env.clock.monotonicMs() - beganMs < BAR_AFTER_MS) return
    loading = true
    void import('cli-progress').then(({ default: { SingleBar, Presets } }) => {
      const drawn = new SingleBar(
        {
          format: 'recovering {bar} {value} of {total} partitions',
          stream: env.program.stderr.stream,
        },
        Presets.shades_classic,
      )
      drawn.start(total, done)
      bar = drawn
    })
  }
  return { progress, stop: () => bar?.stop() }
}

// --- signals -------------------------------------------------------------------------------------

/**
 * The first SIGTERM or SIGINT stops in order, as soon as there is something to stop; the second ends at once,
 * without a clean mark. SIGHUP reads the configuration file again.
 */
function obeySignals(env: Env, config: LiveConfig, configFile: string | undefined) {
  const { program, logger } = env
  let stop: () => void = () => {}
  const asked = new Promise<void>((resolve) => {
    stop = resolve
  })
  let count = 0
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    program.onSignal(signal, () => {
      if (count++ > 0) program.exit(EXIT_BY_SIGNAL[signal])
      logger.info({ signal }, 'stopping')
      stop()
    })
  }
  const reload = new Reload(env, config, configFile)
  program.onSignal('SIGHUP', () => reload.ask())
  return asked
}

async function stopInOrder(
  env: Env,
  config: LiveConfig,
  broker: Broker,
  { dev, pages }: { dev: boolean; pages: Pages | undefined },
): Promise<void> {
  const isClean = await broker.close()
  await pages?.close()
  if (dev) await env.disk.removeDirectory(config.values['data.dir'])
  if (isClean) env.logger.info('stopped cleanly')
  else env.logger.warn('stopped, but not all was done in time: the next start may recover')
  env.program.exit(0)
}
