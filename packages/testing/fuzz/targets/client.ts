// A client and a broker that lies: answers of any API, mutated, in place of the true ones.
// Holds: every call of the client ends, with a value or with an error of ours; nothing is thrown where nobody can
// catch it; the client closes; and another client, of an honest broker, is not concerned.
import { type Client, createClient, isMinikafkaError } from '@minikafka/client'
import { apis, decodeMsgpack, encodeMsgpack } from '@minikafka/protocol'
import { BrokerStage, TOPIC } from '../broker-stage.ts'
import { keptInputs } from '../corpus.ts'
import type { Dice } from '../dice.ts'
import { type Lie, LyingProxy } from '../lying-proxy.ts'
import { mutate } from '../mutate.ts'
import { ACCEPTED, Finding, type Session, type Target } from '../target.ts'
import { apiNames, changedAnswer } from '../values.ts'

const PROXY = 'liar'
/** Virtual: more than any time-out of a client. */
const ENOUGH = '30m'
const RECORDS_WANTED = 2
const POLLS_MAX = 5

export const client: Target = {
  name: 'client',
  share: 30,
  sessionSize: 100,
  checkEvery: 25,
  rssBytesMax: 400 * 2 ** 20,
  seeds: async () => keptInputs('answers').map(({ input }) => input),
  generate,
  open: async (seed) => await ClientSession.open(seed),
}

/** What a client asks for often is lied about more often. */
const OFTEN = ['metadata', 'fetch', 'produce', 'apiVersions', 'initProducerId', 'listOffsets']

function generate(dice: Dice, seeds: readonly Buffer[]): Buffer {
  const often = seeds.filter(({ 0: api = 0 }) => OFTEN.includes(apiNames[api] ?? ''))
  const frames = seeds.map((other) => other.subarray(1))
  const lies: [number, Buffer][] = []
  for (let count = dice.small(6); count > 0; count--) {
    const seed = dice.pick(dice.chance(0.8) ? often : seeds)
    lies.push([seed[0] ?? 0, lieOf(seed, frames, dice)])
  }
  return Buffer.from(encodeMsgpack(lies))
}

/** Mostly well formed: what breaks the protocol ends the connection, and that is all. */
function lieOf(seed: Buffer, frames: readonly Buffer[], dice: Dice): Buffer {
  const truth = seed.subarray(1)
  if (dice.chance(0.1)) return dice.pick(frames)
  const api = apiNames[seed[0] ?? 0]
  const changed = api && dice.chance(0.7) ? changedAnswer(api, truth, dice) : undefined
  return changed ?? mutate(truth, dice, frames)
}

class ClientSession implements Session {
  readonly #stage: BrokerStage
  readonly #proxy: LyingProxy
  #count = 0

  static async open(seed: number): Promise<ClientSession> {
    const stage = await BrokerStage.open(seed)
    const env = stage.broker.world.env(PROXY)
    const proxy = await stage.run(LyingProxy.start(env, PROXY, stage.address))
    return new ClientSession(stage, proxy)
  }

  private constructor(stage: BrokerStage, proxy: LyingProxy) {
    this.#stage = stage
    this.#proxy = proxy
  }

  async feed(input: Buffer): Promise<string> {
    const { world } = this.#stage.broker
    const node = `victim-${this.#count++}`
    const brokers = `${PROXY}:${this.#proxy.port}`
    const victim = createClient(world.start(node), { brokers, logger: false })
    this.#proxy.tell(this.#liesIn(input))
    const calls = [this.#ask(victim), this.#send(victim), this.#read(victim)]
    const answers = await world.complete(Promise.all(calls), {
      timeout: ENOUGH,
      what: 'the end of every call',
    })
    const closed = await world.complete(nameOf(victim.close()), { timeout: ENOUGH })
    world.kill(node)
    this.#proxy.dropAll()
    await world.settled()
    this.#stage.expectNoSurprise()
    return [...answers, closed].find((answer) => answer !== ACCEPTED) ?? ACCEPTED
  }

  #liesIn(input: Buffer): Lie[] {
    const lies = decodeMsgpack(input) as [number, Uint8Array][]
    return lies.map(([api, frame]) => ({
      apiKey: apis[apiNames[api % apiNames.length] ?? 'metadata'].key,
      frame: this.#stage.withTopicId(Buffer.from(frame)),
    }))
  }

  async #ask(victim: Client): Promise<string> {
    const admin = victim.admin()
    const asked = await nameOf(admin.describeTopic(TOPIC))
    return asked === ACCEPTED ? await nameOf(admin.cluster()) : asked
  }

  async #send(victim: Client): Promise<string> {
    const producer = victim.producer()
    const sent = [1, 2, 3].map((value) => nameOf(producer.send(TOPIC, { value: `v ${value}` })))
    const answers = await Promise.all(sent)
    return answers.find((answer) => answer !== ACCEPTED) ?? ACCEPTED
  }

  async #read(victim: Client): Promise<string> {
    const consumer = victim.consumer({ topics: [TOPIC], start: 'earliest', onError: 'skip' })
    let count = 0
    for (let poll = 0; poll < POLLS_MAX && count < RECORDS_WANTED; poll++) {
      const polled = consumer.poll({ max: 10, maxWaitMs: 1000 }).then((records) => {
        for (const { value, headers } of records) void [value?.length, [...headers].length]
        count += records.length
      })
      const answer = await nameOf(polled)
      if (answer !== ACCEPTED) return answer
    }
    return await nameOf(consumer.close())
  }

  check(): Promise<void> {
    return this.#stage.check()
  }

  async close(): Promise<void> {
    this.#stage.broker.world.kill(PROXY)
    await this.#stage.close()
  }
}

/** `accepted`, or the name of an error of ours; any other is a finding. */
async function nameOf(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return ACCEPTED
  } catch (error) {
    if (isMinikafkaError(error)) return error.name
    throw new Finding(`a call failed with what is no error of ours: ${error}`, { cause: error })
  }
}
