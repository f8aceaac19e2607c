// For `--import`: prints the address of each module that is loaded on stderr, a line each.
import { register } from 'node:module'

const HOOKS = `
import { writeSync } from 'node:fs'
export async function load(url, context, next) {
  writeSync(2, 'loaded ' + url + '\\n')
  return next(url, context)
}
`
register(`data:text/javascript,${encodeURIComponent(HOOKS)}`)
