// A real client of this world, in a process of its own.
import { type Client, createClient } from '@minikafka/client'
import { BROKER, PORT } from './daemon.ts'
import type { Stage } from './stage.ts'

/** News of topics gets around soon: with the default of five minutes a run would end before. */
const METADATA_MAX_AGE_MS = 4000

export function openClient({ world }: Stage, node: string, requestTimeoutMs: number): Client {
  return createClient(world.env(node), {
    brokers: `${BROKER}:${PORT}`,
    clientId: node,
    requestTimeoutMs,
    metadataMaxAgeMs: METADATA_MAX_AGE_MS,
    logger: false,
  })
}
