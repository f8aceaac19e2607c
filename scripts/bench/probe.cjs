// Loaded into the broker's process before it, by --require: what only it can know of itself.
// Each second one JSON line is appended to the file that MINIKAFKA_PROBE names.
// With MINIKAFKA_PROBE_GC=N garbage is collected every N seconds, and that line has what is left.
const { appendFileSync } = require('node:fs')
const { monitorEventLoopDelay } = require('node:perf_hooks')
const { getHeapSpaceStatistics, setFlagsFromString } = require('node:v8')
const { runInNewContext } = require('node:vm')

const RESOLUTION_MS = 5
const collectEvery = Number(process.env.MINIKAFKA_PROBE_GC || Number.POSITIVE_INFINITY)
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
delays.enable()
let seconds = 0
const collect = collectEvery < Number.POSITIVE_INFINITY ? exposedGc() : undefined

/** The histogram tells the time between two looks, of which the wait itself is no delay. */
const delayMs = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS)

function exposedGc() {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc')
}

/** What the program holds on to. Without compiled code: V8 compiles for as long as it learns, and drops it again. */
function liveHeap() {
  collect?.()
  return getHeapSpaceStatistics()
    .filter(({ space_name: name }) => !name.startsWith('code'))
    .reduce((sum, { space_used_size: size }) => sum + size, 0)
}

setInterval(() => {
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage()
  const line = {
    loopP99Ms: delayMs(delays.percentile(99)),
    loopMaxMs: delayMs(delays.max),
    handles: process.getActiveResourcesInfo().length,
    rss,
    heapUsed,
    arrayBuffers,
    liveHeap: ++seconds % collectEvery === 0 ? liveHeap() : undefined,
  }
  delays.reset()
  appendFileSync(process.env.MINIKAFKA_PROBE, `${JSON.stringify(line)}\n`)
}, 1000).unref()
