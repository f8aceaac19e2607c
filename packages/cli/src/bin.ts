// minikafka: the program.
import { nodeEnv } from '@minikafka/client'
import { main } from './main.ts'

void main(nodeEnv())
