// What a script must undo before it is gone, however it ends: by itself, by an error, by a signal.
import { constants } from 'node:os'

const undos = new Set<() => void>()
let watching = false

/** `undo` runs once: when the result is called, or when this process ends. The last comes first. */
export function undoAtExit(undo: () => void): () => void {
  watch()
  const once = () => {
    if (undos.delete(once)) undo()
  }
  undos.add(once)
  return once
}

function watch(): void {
  if (watching) return
  watching = true
  process.on('exit', undoAll)
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => process.exit(128 + constants.signals[signal]))
}

function undoAll(): void {
  for (const undo of [...undos].reverse()) {
    try {
      undo()
    } catch (error) {
      console.error(error)
    }
  }
}
