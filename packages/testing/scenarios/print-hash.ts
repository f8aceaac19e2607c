// Runs the first scenario in a process of its own and prints the hash of the run, for the determinism test.
import { nodeEnv } from '@minikafka/platform'
import { runFirstScenario } from './first-scenario.ts'

const { program } = nodeEnv()
const { hash } = await runFirstScenario(Number(program.arguments[0]))
await program.stdout.write(`${hash}\n`)
