// This machine's disk inside a world: each call is an event, so that it waits its turn like everything else.
// The world stands still until the real disk has answered; the order of calls is the seed's.
import type { Disk, File, Lock } from '@minikafka/platform'
import type { Ground } from '../ground.ts'
import type { Process } from '../process.ts'

export function hostDisk(ground: Ground, owner: Process, real: Disk): Disk {
  const perform = <T>(label: string, work: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      ground.scheduler.schedule(owner, 'io', label, 0, () => work().then(resolve, reject))
    })
  return {
    open: (path, mode) =>
      perform('disk open', async () => keptFile(owner, perform, path, await real.open(path, mode))),
    readFile: (path) => perform('disk readFile', () => real.readFile(path)),
    replaceFile: (path, content) =>
      perform('disk replaceFile', () => real.replaceFile(path, content)),
    rename: (from, to) => perform('disk rename', () => real.rename(from, to)),
    removeFile: (path) => perform('disk removeFile', () => real.removeFile(path)),
    removeDirectory: (path) => perform('disk removeDirectory', () => real.removeDirectory(path)),
    makeDirectory: (path) => perform('disk mkdir', () => real.makeDirectory(path)),
    list: (path) => perform('disk list', () => real.list(path)),
    stat: (path) => perform('disk stat', () => real.stat(path)),
    syncDirectory: (path) => perform('disk syncDirectory', () => real.syncDirectory(path)),
    freeBytes: (path) => perform('disk freeBytes', () => real.freeBytes(path)),
    totalBytes: (path) => perform('disk totalBytes', () => real.totalBytes(path)),
    lock: (directory) =>
      perform('disk lock', async () => {
        const answer = await real.lock(directory)
        return 'lock' in answer
          ? { lock: keptLock(owner, perform, directory, answer.lock) }
          : answer
      }),
  }
}

type Perform = <T>(label: string, work: () => Promise<T>) => Promise<T>

/** The kernel closes what a dead process had open. */
function keptFile(owner: Process, perform: Perform, path: string, file: File): File {
  const resource = { about: `open file ${path}`, died: () => void file.close().catch(ignore) }
  owner.holds(resource)
  return {
    append: (buffers, position, where) => {
      if (!owner.alive) return perform('disk append', async () => undefined)
      const writing = file.append(buffers, position, where)
      return writing && perform('disk append', () => writing)
    },
    sync: () => perform('disk sync', () => file.sync()),
    read: (into, position) => perform('disk read', () => file.read(into, position)),
    truncate: (size) => perform('disk truncate', () => file.truncate(size)),
    size: () => perform('disk size', () => file.size()),
    close: () =>
      perform('disk close', async () => {
        owner.releases(resource)
        await file.close()
      }),
  }
}

function keptLock(owner: Process, perform: Perform, path: string, lock: Lock): Lock {
  const resource = { about: `lock of ${path}`, died: () => void lock.release().catch(ignore) }
  owner.holds(resource)
  return {
    release: () =>
      perform('disk unlock', async () => {
        owner.releases(resource)
        await lock.release()
      }),
  }
}

/** A dead process hears no errors. */
function ignore(): void {}
