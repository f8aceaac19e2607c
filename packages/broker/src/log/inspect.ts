import type { Env } from '@minikafka/platform'

export type InspectLine = { readonly text: string; readonly problem: boolean }
export type DumpOptions = { readonly records: boolean; readonly from: number }
export type VerifyOptions = { readonly deep: boolean }
export async function* dumpLog(
  _env: Env,
  _path: string,
  _options: DumpOptions,
): AsyncGenerator<InspectLine> {}
export async function* verifyDirectory(
  _env: Env,
  _path: string,
  _options: VerifyOptions,
): AsyncGenerator<InspectLine> {}
