// minikafka: the program. What no help and no completion needs (the client) is loaded by the command that runs.
import { nodePorts } from '@minikafka/platform'
import { main } from './main.ts'
import { wordsLogger } from './words-logger.ts'

const ports = nodePorts()
void main({ ...ports, logger: wordsLogger(ports, 'warn') })
