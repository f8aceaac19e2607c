/** Who owns a data directory: `meta.json`. */
export type DirectoryMeta = {
  readonly clusterId: string
  readonly brokerId: number
  readonly dirId: string
  readonly formatVersion: number
  readonly maxRevSeen: number
}
