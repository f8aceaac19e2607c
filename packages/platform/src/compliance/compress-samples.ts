// Compressed blocks that others made, and some that nobody should: material of the compress suite.
import { gzipSync } from 'node:zlib'
import type { CompressionName } from '../env.ts'

export const foreignText = Array.from(
  { length: 6 },
  (_, line) => `record ${line}: the quick brown fox jumps over the lazy dog\n`,
).join('')

const LZ4_BLOCK =
  '57000000f1197265636f726420303a2074686520717569636b2062726f776e20666f78206a756d7073206f7665721f00' +
  '936c617a7920646f670a36001f313600221f323600221f333600221f343600221f353600165020646f670a'
const ZSTD_BLOCK =
  '5d020064037265636f726420303a2074686520717569636b2062726f776e20666f78206a756d7073206f7665726c617a' +
  '7920646f670a3132333435072070330f9b22e7e9647a8a9e9b750742686512f48ecf'
const SNAPPY_BLOCK =
  'c402a07265636f726420303a2074686520717569636b2062726f776e20666f78206a756d7073206f76657220011f206c61' +
  '7a7920646f670a0d360031d236000032d236000033d236000034d236000035b63600'

/** `foreignText` by the programs of each format's author. Record batches of the Java client: `protocol/testdata`. */
export const foreignBlocks: readonly { made: string; codec: CompressionName; hex: string }[] = [
  {
    made: 'gzip -9',
    codec: 'gzip',
    hex:
      '1f8b08000000000002032b4a4dce2f4a5130b05228c94855282ccd4cce56482aca2fcf5348cbaf50c82acd2d2856c82f' +
      '4b2d024be72456552aa4e4a7731541741992a5cb882c5dc664e932214b972969ba00687cf7bf44010000',
  },
  { made: 'libsnappy, without xerial framing', codec: 'snappy', hex: SNAPPY_BLOCK },
  {
    made: 'libsnappy, in two chunks of xerial framing',
    codec: 'snappy',
    // A second chunk may be as small as an empty block.
    hex: `82534e41505059000000000100000001${chunk(SNAPPY_BLOCK)}${chunk('00')}`,
  },
  { made: 'lz4 -BI --no-frame-crc', codec: 'lz4', hex: `04224d18604082${LZ4_BLOCK}00000000` },
  {
    made: 'lz4 -BD (linked blocks, content checksum)',
    codec: 'lz4',
    hex: `04224d186440a7${LZ4_BLOCK}00000000975e5d97`,
  },
  {
    made: 'lz4 -BD -B7 -BX --content-size (every checksum and size)',
    codec: 'lz4',
    hex: `04224d187c4044010000000000005a${LZ4_BLOCK}6a6bd92300000000975e5d97`,
  },
  { made: 'zstd -22 of a file (content size)', codec: 'zstd', hex: `28b52ffd644400${ZSTD_BLOCK}` },
  { made: 'zstd -22 of a pipe (none)', codec: 'zstd', hex: `28b52ffd0488${ZSTD_BLOCK}` },
  {
    made: 'zstd, behind a skippable frame',
    codec: 'zstd',
    hex: `502a4d1803000000aabbcc28b52ffd0488${ZSTD_BLOCK}`,
  },
]

function chunk(hex: string): string {
  return (hex.length / 2).toString(16).padStart(8, '0') + hex
}

/** Small inputs that declare, or give, far more than the 1 MiB that the suite allows. */
export function bombs(): { what: string; codec: CompressionName; input: Buffer }[] {
  const xerial = '82534e41505059000000000100000001'
  return [
    { what: 'gzip 1:1000', codec: 'gzip', input: gzipSync(Buffer.alloc(16 * 1024 * 1024)) },
    hex('zstd with a window of 2 GiB', 'zstd', '28b52ffd00a8010000'),
    hex('zstd with a window of 3.75 TiB', 'zstd', '28b52ffd00ff010000'),
    hex('zstd that declares 4 GiB', 'zstd', '28b52ffde00000000001000000010000'),
    hex('zstd that declares 2^64 - 1', 'zstd', '28b52ffde0ffffffffffffffff010000'),
    hex(
      'zstd that declares 2^32 + 5 and gives 5',
      'zstd',
      `28b52ffde0${'0500000001000000'}2900006162636465`,
    ),
    hex(
      'zstd of 1,000 blocks that repeat a byte',
      'zstd',
      `28b52ffd0078${'02001000'.repeat(1000)}010000`,
    ),
    hex('zstd that needs a dictionary', 'zstd', '28b52ffd015807010000'),
    hex('lz4 that declares 4 GiB', 'lz4', '04224d186840000000000100000093ff00000000'),
    { what: 'lz4 1:255 over many blocks', codec: 'lz4', input: lz4Bomb() },
    hex('snappy with a chunk of -1', 'snappy', `${xerial}ffffffff00`),
    hex('snappy with a chunk of -4', 'snappy', `${xerial}fffffffc00`),
    hex('snappy with a chunk of 0', 'snappy', `${xerial}00000000`),
    hex('snappy with a chunk beyond its end', 'snappy', `${xerial}7fffffff00`),
    hex('snappy that declares 4 GiB', 'snappy', 'ffffffff0f00'),
    hex('snappy that declares 2^35', 'snappy', 'ffffffff7f00'),
    hex('snappy with a literal of 2^31', 'snappy', '64fc01000080aaaaaaaa'),
    hex('snappy with a literal that steps back for ever', 'snappy', '64fcf0ffffffaaaaaaaa'),
    hex('snappy with a copy from before its start', 'snappy', '0704616212ff00'),
    hex('snappy that gives more than it declares', 'snappy', '030461620101'),
    hex('snappy that gives less than it declares', 'snappy', '05046162'),
  ]
}

function hex(what: string, codec: CompressionName, text: string) {
  return { what, codec, input: Buffer.from(text, 'hex') }
}

/** Each block: one literal, a match of 64 KiB - 6 with itself, five literals. */
function lz4Bomb(): Buffer {
  const more = 64 * 1024 - 6 - 4 - 15
  const length = Buffer.alloc(Math.floor(more / 255) + 1, 255)
  length[length.length - 1] = more % 255
  const body = Buffer.concat([
    Buffer.from('1f610100', 'hex'),
    length,
    Buffer.from('506161616161', 'hex'),
  ])
  const size = Buffer.alloc(4)
  size.writeUInt32LE(body.length)
  const block = Buffer.concat([size, body])
  const head = Buffer.from('04224d18604082', 'hex')
  return Buffer.concat([head, ...Array(1000).fill(block), Buffer.alloc(4)])
}
