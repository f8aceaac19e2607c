// Composition: the only file that sees every room. Starts them in order, stops them in the reverse one.
import { setMaxListeners } from 'node:events'
import {
  bootstrapCluster,
  ClusterState,
  Controller,
  Member,
  NotApplied,
  newClusterId,
  openEmbeddedStore,
  ProducerIds,
  type RecoveryReport,
  type ReplicaAnswer,
} from '@minikafka/cluster'
import { type Address, type Env, isNoSpace, type Timer } from '@minikafka/platform'
import { isMinikafkaError } from '@minikafka/protocol'
import { Cleaner } from './cleaner.ts'
import { advertisedAddresses, type LiveConfig, listenerSpecs } from './config/index.ts'
import { DiskSpace } from './disk-space.ts'
import type { Through } from './dispatch.ts'
import { type GroupHostFacts, GroupHosts, OffsetsTopic } from './hosts/index.ts'
import { Housekeeping } from './housekeeping.ts'
import { Listeners } from './listeners.ts'
import { DataDirectory, EXIT, ScrubTimes, StartError } from './log/index.ts'
import { MemoryBudget } from './memory-budget.ts'
import { MetadataFollower } from './metadata.ts'
import { RequestCounts, type Watched } from './metrics/index.ts'
import { factsOf, type PartitionFacts, Partitions } from './partition/index.ts'
import type { Rooms } from './rooms.ts'
import { Scrubber } from './scrubber.ts'
import { Suspicions } from './suspicions.ts'
import { VERSION } from './version.ts'

/** Of the memory budget: what readers that keep up are served from (ARCHITECTURE "Memory"). */
const TAIL_BYTES_MAX = 32 * 1024 * 1024

export type Progress = (what: 'recovering', done: number, total: number) => void

export type Broker = {
  readonly nodeId: number
  readonly clusterId: string
  /** Where each listener is bound, with its true port. */
  readonly addresses: ReadonlyMap<string, Address>
  readonly address: Address
  readonly partitionCount: number
  /** The last stop was clean: nothing was scanned. */
  readonly wasClean: boolean
  readonly isNewDirectory: boolean
  freeBytes(): Promise<number>
  /** Where each partition stands at this moment: for those who watch from outside, such as a simulator. */
  partitions(): PartitionFacts[]
  /** The same of the partitions of groups that it leads. */
  groups(): GroupHostFacts[]
  /** For the pages of metrics and health. */
  readonly watched: Watched
  /** Settles when the broker cannot go on (a failed disk): close it without a clean mark and exit 74. */
  readonly failed: Promise<Error>
  /**
   * Controlled stop: finish, sync, mark. `clean` false leaves no mark and syncs nothing, for after a failure.
   * False: a step failed or took too long, and is in the log.
   */
  close(options?: { clean?: boolean }): Promise<boolean>
}

/**
 * Start one broker on its data directory.
 *
 * Errors  StartError with an exit code (locked, damaged, foreign, port taken); InvalidConfig.
 * Holds   resolved = ready: every partition is open and led, connections are served.
 */
export async function startBroker(
  env: Env,
  config: LiveConfig,
  onProgress?: Progress,
  through?: Through,
): Promise<Broker> {
  const specs = listenerSpecs(config.values)
  const undo: (() => Promise<void>)[] = []
  try {
    return await start(env, config, specs, undo, onProgress, through)
  } catch (error) {
    for (const step of undo.reverse())
      await step().catch((again) => env.logger.error({ err: again }, 'while stopping'))
    throw isDiskFull(error) ? diskFull(error, config.values['data.dir']) : error
  }
}

function isDiskFull(error: unknown): boolean {
  if (error instanceof NotApplied) return error.reason === 'no-space'
  if (isNoSpace(error)) return true
  return isMinikafkaError(error) && error.name === 'STORAGE_FULL'
}

/** Without its registration and its leader epochs in the metadata a broker may not serve, not even reads. */
function diskFull(cause: unknown, directory: string): StartError {
  const message =
    'the disk is full, and a start writes some KiB of metadata. Free space, then start again; no record was touched.'
  return new StartError(EXIT.io, directory, message, { cause })
}

async function start(
  env: Env,
  config: LiveConfig,
  specs: ReturnType<typeof listenerSpecs>,
  undo: (() => Promise<void>)[],
  onProgress?: Progress,
  through?: Through,
): Promise<Broker> {
  const { values } = config
  const nodeId = values['node.id']
  const tailBytesMax = Math.min(TAIL_BYTES_MAX, values['memory.max.bytes'] / 2)
  const directory = await DataDirectory.open(env, {
    path: values['data.dir'],
    nodeId,
    clusterIdIfNew: newClusterId(env),
    tailBytesMax,
    filesOpenMax: values['log.files.open.max'],
    logger: env.logger.child({ component: 'log' }),
  })
  let brokerEpoch = directory.previousBrokerEpoch ?? -1
  let opened = false
  undo.push(() =>
    directory.close({ clean: !opened && directory.previousBrokerEpoch !== undefined, brokerEpoch }),
  )
  const listeners = await Listeners.bind(env, specs)
  undo.push(() => listeners.close({ finishMs: 0 }))
  const store = await openEmbeddedStore(env, {
    directory: directory.path,
    historyMax: values['metadata.revisions.max'],
  })
  undo.push(() => store.close())
  checkNotRolledBack(directory, store.rev)
  const { clusterId } = await bootstrapCluster(store, directory.meta.clusterId)
  const state = await ClusterState.open(env, store)
  undo.push(() => state.close())
  await directory.markOpened(store.rev)
  opened = true
  const wasClean = directory.previousBrokerEpoch !== undefined
  const member = await Member.join(env, store, {
    brokerId: nodeId,
    clusterId: directory.meta.clusterId,
    incarnation: env.random.uuid(),
    dirIds: [directory.meta.dirId],
    endpoints: endpointsOf(config, listeners),
    rack: values.rack || undefined,
    version: VERSION,
    cleanEpoch: directory.previousBrokerEpoch,
  })
  undo.push(() => member.leave())
  brokerEpoch = member.brokerEpoch
  const controller = await Controller.open(
    env,
    { store, state, member },
    {
      partitionsMax: () => config.values['max.partitions'],
      isFlushGroup: (topicConfig) => (topicConfig.get('flush') ?? config.values.flush) === 'group',
    },
  )
  undo.push(() => controller.close())
  applyDynamic(env, config, state, nodeId)

  const times = await ScrubTimes.load(env, directory.path)
  const partitions = new Partitions(env, directory, {
    nodeId,
    values: () => config.values,
    holdsLease: () => member.holdsLease(),
  })
  let fail: (error: Error) => void = () => {}
  const failed = new Promise<Error>((resolve) => {
    fail = resolve
  })
  directory.onOffline(fail)
  store.onFailure(fail)
  const findLeaders = async () => {
    const reports = await controller.brokerReady({
      brokerId: nodeId,
      answers: (topicId, partition) => answerOf(partitions, nodeId, topicId, partition),
    })
    sayRecovered(env, state, reports)
  }
  const follower = new MetadataFollower(env, {
    nodeId,
    state,
    controller,
    partitions,
    config,
    onOpened: findLeaders,
    onFailure: (error) => fail(error as Error),
  })
  undo.push(() => follower.close())
  await follower.openAll((done, total) => onProgress?.('recovering', done, total))
  await findLeaders()
  await follower.follow()
  await directory.rememberRevision(store.rev)

  const memory = new MemoryBudget(values['memory.max.bytes'], directory, tailBytesMax)
  directory.chargeTo(memory)
  const stopping = new AbortController()
  setMaxListeners(0, stopping.signal)
  const reached = (revision: number) => follower.reached(revision)
  const configured = () => config.values
  const offsetsTopic = new OffsetsTopic({ state, controller, values: configured, reached })
  const groups = new GroupHosts(env, {
    nodeId,
    topic: offsetsTopic,
    state,
    partitions,
    values: configured,
    reached,
  })
  undo.push(async () => groups.close())
  groups.start()
  const rooms: Rooms = {
    nodeId,
    version: VERSION,
    config,
    state,
    controller,
    producerIds: new ProducerIds(store),
    partitions,
    directory,
    stopping: stopping.signal,
    reached,
    offsetsTopic,
    groups,
    nextRotation: rotation(),
    suspicions: new Suspicions(env.clock),
    endpoint: (brokerId, listener) => endpointOf(state, config, nodeId, brokerId, listener),
  }
  const stopConfig = followConfig(env, config, state, nodeId, follower)
  const space = new DiskSpace(env, { directory, partitions, follower }, config)
  await space.start()
  const housekeeping = new Housekeeping(env, config, { partitions, follower, groups })
  const scrubber = new Scrubber(env, config, partitions, { memory, times })
  const cleaner = new Cleaner(env, config, partitions, memory)
  const hello = () => ({
    brokerVersion: VERSION,
    clusterId,
    nodeId,
    frameBytesMax: values['socket.request.max.bytes'],
    requestsInFlightMax: values['max.requests.in.flight.per.connection'],
  })
  const requests = new RequestCounts()
  listeners.open(rooms, memory, hello, requests, through)

  async function close({ clean = true }: { clean?: boolean } = {}): Promise<boolean> {
    const timeoutMs = config.values['shutdown.timeout.ms']
    const { step, allDone } = stopSteps(env, timeoutMs)
    stopping.abort()
    housekeeping.stop()
    await step('cleaner not stopped', () => cleaner.stop())
    await step('scrubber not stopped', () => scrubber.stop({ clean }))
    space.stop()
    stopConfig()
    // What comes after the requests needs time too: to be synced, above all.
    const finishMs = clean ? timeoutMs / 2 : 0
    await step('connections not closed in order', () => listeners.close({ finishMs }))
    groups.close()
    await step('metadata not followed to the end', () => follower.close())
    partitions.closeAll('NOT_LEADER_OR_FOLLOWER', 'the broker is stopping')
    if (clean) await step('producers not saved', () => partitions.saveProducers())
    await step('controller not closed', () => controller.close())
    await step('image not closed', () => state.close())
    const epoch = member.brokerEpoch
    // On a full disk the lease cannot be given back: it expires by itself, and the stop goes on.
    await step('lease not given back', () => member.leave())
    await step('revision not remembered', () => directory.rememberRevision(store.rev))
    await step('metadata store not closed', () => store.close())
    // Last and in any case: it frees the lock.
    await step('data directory not closed', () =>
      directory.close({ clean: clean && directory.offline === undefined, brokerEpoch: epoch }),
    )
    return allDone()
  }

  const addresses = listeners.addresses()
  const [address = { host: '', port: 0 }] = addresses.values()
  let closing: Promise<boolean> | undefined
  return {
    nodeId,
    clusterId,
    addresses,
    address,
    get partitionCount() {
      return partitions.count
    },
    wasClean,
    isNewDirectory: directory.isNew,
    freeBytes: () => directory.freeBytes(),
    partitions: () => factsOf(partitions.all()),
    groups: () => groups.facts,
    watched: {
      ...{ nodeId, clusterId, version: VERSION, values: configured },
      ...{ state, partitions, groups, directory, memory, requests },
      listeners: () => listeners.facts(),
      cleaned: cleaner.counts,
      scrubbed: scrubber.counts,
    },
    failed,
    close: (options) => {
      closing ??= close(options)
      return closing
    },
  }
}

/**
 * The steps of one stop: what fails or takes too long is logged, and the next one follows; the process is going to end.
 */
function stopSteps(env: Env, timeoutMs: number) {
  const untilMs = env.clock.monotonicMs() + timeoutMs
  let done = true
  const step = async (failed: string, work: () => Promise<unknown>): Promise<void> => {
    const leftMs = Math.max(0, untilMs - env.clock.monotonicMs())
    let timer: Timer | undefined
    const tooLate = new Promise<Error>((resolve) => {
      timer = env.clock.timer(leftMs, () => resolve(new Error('shutdown.timeout.ms is over')))
    })
    const worked = Promise.resolve()
      .then(work)
      .then(
        () => undefined,
        (error: unknown) => error,
      )
    const error = await Promise.race([worked, tooLate])
    timer?.cancel()
    if (error === undefined) return
    done = false
    env.logger.warn({ err: error }, failed)
  }
  return { step, allDone: () => done }
}

// --- addresses ---------------------------------------------------------------------------------

/** What this broker tells the cluster of itself: the advertised address of each listener, or "as dialled". */
function endpointsOf(config: LiveConfig, listeners: Listeners): ReadonlyMap<string, Address> {
  const advertised = advertisedAddresses(config.values)
  const names = [...listeners.addresses().keys()]
  return new Map(names.map((name) => [name, advertised.get(name) ?? AS_DIALLED]))
}

const AS_DIALLED: Address = { host: '', port: 0 }

function endpointOf(
  state: ClusterState,
  config: LiveConfig,
  nodeId: number,
  brokerId: number,
  listener: string,
): Address {
  if (brokerId === nodeId) return advertisedAddresses(config.values).get(listener) ?? AS_DIALLED
  return state.broker(brokerId)?.endpoints.get(listener) ?? AS_DIALLED
}

// --- the metadata ------------------------------------------------------------------------------

/** Lost or replaced metadata files would make every topic look foreign; nothing is touched then (REPLICATION 3.5). */
function checkNotRolledBack(directory: DataDirectory, revision: number): void {
  const { maxRevSeen } = directory.meta
  if (revision >= maxRevSeen) return
  throw new StartError(
    EXIT.foreign,
    directory.path,
    `METADATA_ROLLED_BACK: the metadata is at revision ${revision}, this broker has seen ${maxRevSeen}. ` +
      'Restore metadata.log and metadata.snapshot of this directory; nothing was changed.',
  )
}

// --- recovery ----------------------------------------------------------------------------------

/** One line for all that went well: with 10,000 partitions the one that did not must be seen. */
function sayRecovered(
  { logger }: Env,
  state: ClusterState,
  reports: readonly RecoveryReport[],
): void {
  const others = reports.filter(({ outcome }) => outcome !== 'recovered')
  const partitions = reports.length - others.length
  if (partitions > 0)
    logger.info(
      { partitions },
      'recovered after an unclean stop: all acknowledged records are here',
    )
  for (const report of others)
    logger.warn(
      { topic: state.topicById(report.topicId)?.name, ...report },
      'a partition without an eligible leader',
    )
}

/** What this broker's replica says of its log, where the controller has to choose (REPLICATION 2.9.2). */
function answerOf(
  partitions: Partitions,
  nodeId: number,
  topicId: string,
  number: number,
): ReplicaAnswer | undefined {
  const partition = partitions.get(topicId, number)
  if ('error' in partition) return undefined
  const { log, lost } = partition
  // A log that cannot be opened has not answered: the partition waits for a repair.
  if (log === undefined) return undefined
  return {
    brokerId: nodeId,
    lastEpoch: log.epochs.latest,
    durableEndOffset: log.durableEndOffset,
    lost,
  }
}

// --- configuration -----------------------------------------------------------------------------

function applyDynamic(env: Env, config: LiveConfig, state: ClusterState, nodeId: number): void {
  const texts = new Map([...state.brokerConfig('cluster'), ...state.brokerConfig(nodeId)])
  for (const refused of config.setDynamic(texts))
    env.logger.warn({ refused }, 'ignored a dynamic setting')
}

function followConfig(
  env: Env,
  config: LiveConfig,
  state: ClusterState,
  nodeId: number,
  follower: MetadataFollower,
): () => void {
  const stopState = state.onChange(({ configChanged }) => {
    if (configChanged) applyDynamic(env, config, state, nodeId)
  })
  const stopValues = config.onChange((changed) => {
    env.logger.info({ changed }, 'settings changed')
    if (changed.includes('log.level')) env.logger.level = config.values['log.level']
    follower.reconfigure()
  })
  return () => {
    stopState()
    stopValues()
  }
}

function rotation(): () => number {
  let count = 0
  return () => count++
}
