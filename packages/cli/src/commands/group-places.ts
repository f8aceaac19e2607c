// A file of places: lines `topic,partition,offset` as Kafka's tools write them, or JSON lines as `group lag` and
// `group seek` print them. Enters: a file. Leaves: an offset for each partition, or the line that is wrong.
import type { NextOffset } from '@minikafka/client'
import { BadInput } from '../failures.ts'
import type { Session } from '../session.ts'

const FILE_BYTES_MAX = 64 * 1024 * 1024

export async function readPlaces({ env }: Session, file: string): Promise<NextOffset[]> {
  const content = await env.disk.readFile(file).catch((error: unknown) => {
    throw new BadInput(`--to-file ${file}: ${(error as Error).message}`)
  })
  if (content === undefined) throw new BadInput(`--to-file ${file}: there is no such file`)
  if (content.length > FILE_BYTES_MAX)
    throw new BadInput(`--to-file ${file}: larger than ${FILE_BYTES_MAX} bytes`)
  const places = content
    .toString('utf8')
    .split('\n')
    .flatMap((line, index) => {
      if (line.trim() === '') return []
      const place = placeOf(line.trim())
      if (place === undefined) throw new BadInput(`${file}:${index + 1}: ${EXPECTED}`)
      return [place]
    })
  if (places.length === 0) throw new BadInput(`--to-file ${file}: holds no places`)
  return places
}

const EXPECTED =
  'expected topic,partition,offset, or {"topic":"orders","partition":0,"nextOffset":17}'

/** Exported for its test. */
export function placeOf(line: string): NextOffset | undefined {
  const { topic, partition, nextOffset } = line.startsWith('{') ? fromJson(line) : fromCsv(line)
  const isPlace = typeof topic === 'string' && isCount(partition) && isCount(nextOffset)
  return isPlace ? { topic, partition, nextOffset } : undefined
}

type Fields = { topic?: unknown; partition?: unknown; nextOffset?: unknown }

function fromCsv(line: string): Fields {
  const match = /^"?([^",]+)"?,(\d{1,9}),(\d{1,16})$/.exec(line)
  return match === null
    ? {}
    : { topic: match[1], partition: Number(match[2]), nextOffset: Number(match[3]) }
}

/** Of a seek the place that it goes to, of a lag the one that is committed. */
function fromJson(line: string): Fields {
  try {
    const fields = JSON.parse(line) as Fields & { committed?: unknown }
    return { ...fields, nextOffset: fields.nextOffset ?? fields.committed }
  } catch {
    return {}
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
