// minikafka-broker: the program. Reads its arguments, serves, or inspects a data directory.
import { nodeEnv } from '@minikafka/platform'
import { main } from './program/index.ts'

void main(nodeEnv())
