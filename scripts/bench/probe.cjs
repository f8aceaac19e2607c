// Loaded into the broker's process before it, by --require: what only it can know of itself.
// Each second one JSON line is appended to the file that MINIKAFKA_PROBE names.
const { appendFileSync } = require('node:fs')
const { monitorEventLoopDelay } = require('node:perf_hooks')

const RESOLUTION_MS = 5
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
delays.enable()

/** The histogram tells the time between two looks, of which the wait itself is no delay. */
const delayMs = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS)

setInterval(() => {
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage()
  const line = {
    loopP99Ms: delayMs(delays.percentile(99)),
    loopMaxMs: delayMs(delays.max),
    handles: process.getActiveResourcesInfo().length,
    rss,
    heapUsed,
    arrayBuffers,
  }
  delays.reset()
  appendFileSync(process.env.MINIKAFKA_PROBE, `${JSON.stringify(line)}\n`)
}, 1000).unref()
