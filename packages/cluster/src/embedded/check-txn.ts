// What is wrong with a transaction whatever the state: limits, keys, one key put twice. As etcd refuses it.
import {
  type Cmp,
  KEY_BYTES_MAX,
  NotApplied,
  OPS_MAX,
  type Op,
  TXN_BYTES_MAX,
} from '../meta-store.ts'

export type Txn = {
  readonly compares: readonly Cmp[]
  readonly success: readonly Op[]
  readonly failure: readonly Op[]
}

/** Throws NotApplied. */
export function checkTxn({ compares, success, failure }: Txn): void {
  const count = Math.max(compares.length, success.length, failure.length)
  if (count > OPS_MAX) {
    throw new NotApplied(
      'too-many-operations',
      `${count} operations, at most ${OPS_MAX} go into one transaction`,
    )
  }
  for (const compare of compares) checkKey(compare.key)
  for (const op of [...success, ...failure]) checkOp(op)
  checkPutOnce(success)
  checkPutOnce(failure)
  const bytes = sum(compares.map(bytesOf)) + sum([...success, ...failure].map(bytesOf))
  if (bytes > TXN_BYTES_MAX) {
    throw new NotApplied(
      'too-large',
      `${bytes} bytes, at most ${TXN_BYTES_MAX} go into one transaction`,
    )
  }
}

/** Keys are printable ASCII without blanks, so that every store orders them alike. */
function checkKey(key: string): void {
  if (!/^[!-~]+$/.test(key) || key.length > KEY_BYTES_MAX) {
    throw new NotApplied('invalid', `not a key: ${JSON.stringify(key.slice(0, 80))}`)
  }
}

export function checkPrefix(prefix: string): void {
  if (prefix !== '') checkKey(prefix)
}

function checkOp(op: Op): void {
  if ('prefix' in op) checkPrefix(op.prefix)
  else checkKey(op.key)
  if (op.op === 'put' && op.ignoreLease && op.leaseId !== undefined) {
    throw new NotApplied('invalid', `put of ${op.key} gives a lease and ignores it`)
  }
}

function checkPutOnce(ops: readonly Op[]): void {
  const put = new Set<string>()
  for (const op of ops) {
    if (op.op !== 'put') continue
    if (put.has(op.key))
      throw new NotApplied('invalid', `${op.key} is put twice in one transaction`)
    put.add(op.key)
  }
  const deleted = [...put].find((key) => ops.some((op) => deletes(op, key)))
  if (deleted !== undefined) {
    throw new NotApplied('invalid', `${deleted} is put and deleted in one transaction`)
  }
}

function deletes(op: Op, key: string): boolean {
  return op.op === 'delete' ? op.key === key : op.op === 'deletePrefix' && key.startsWith(op.prefix)
}

function bytesOf(item: Cmp | Op): number {
  const key = 'prefix' in item ? item.prefix : item.key
  return key.length + ('value' in item ? Buffer.byteLength(item.value) : 0)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
