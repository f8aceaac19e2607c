// The disk on the page: whether it works, and what is free. Enters: the data directory. Leaves: gauges; where the disk does
// not answer in time there are no samples of it, and the page has all the others.
import type { Clock } from '@minikafka/platform'
import type { DataDirectory } from '../log/index.ts'
import type { PageText } from './page-text.ts'
import { Patience } from './patience.ts'

export class DiskLook {
  readonly #directory: DataDirectory
  readonly #patience: Patience
  #freeBytes: number | undefined
  #totalBytes: number | undefined

  constructor(clock: Clock, directory: DataDirectory) {
    this.#directory = directory
    this.#patience = new Patience(clock, () => this.#look())
  }

  async write(page: PageText): Promise<void> {
    this.#freeBytes = undefined
    this.#totalBytes = undefined
    await this.#patience.wait()
    page.gauge(
      'minikafka_data_dir_offline',
      '1: the disk failed, and the broker stops.',
      Number(this.#directory.offline !== undefined),
    )
    page.gauge('minikafka_disk_free_bytes', 'Free space where the data is.', this.#freeBytes)
    page.gauge('minikafka_disk_size_bytes', 'Size of that disk.', this.#totalBytes)
  }

  async #look(): Promise<void> {
    const unknown = () => undefined
    this.#freeBytes = await this.#directory.freeBytes().catch(unknown)
    this.#totalBytes = await this.#directory.totalBytes().catch(unknown)
  }
}
