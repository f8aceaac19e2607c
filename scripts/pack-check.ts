// `npm run pack-check [-- --nodes 20,22,24]`: packs what would be published and uses it as a stranger does, in an empty
// folder outside the repository: what is in the tarballs, both programs, types, sizes. Needs npm and its registry.
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packAll } from './pack/packages.ts'
import { installNode, installTarballs, ownNode } from './pack/stranger.ts'
import { tryPrograms } from './pack/try-programs.ts'
import { tryTypes } from './pack/try-types.ts'
import { temporaryFolder } from './temporary-folder.ts'

const { values: flags } = parseArgs({ options: { nodes: { type: 'string', default: '' } } })

using own = temporaryFolder(tmpdir(), 'minikafka-pack-')
const stranger = join(own.path, 'stranger')
mkdirSync(stranger)
installTarballs(stranger, packAll(join(own.path, 'tarballs')))
tryTypes(stranger)
const majors = flags.nodes.split(',').filter((major) => major !== '')
for (const major of majors.length > 0 ? majors : [undefined]) {
  const node = major === undefined ? ownNode() : installNode(own.path, major)
  await tryPrograms(stranger, node, join(own.path, `data-${node.version}`))
}
