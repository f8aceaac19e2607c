// Latent sector errors of one file: what the platter cannot read any more, until it is written again whole.

export const SECTOR_SIZE = 512

export class BadSectors {
  readonly #numbers = new Set<number>()

  add(position: number): void {
    this.#numbers.add(Math.floor(position / SECTOR_SIZE))
  }

  /** Whether reading `size` bytes from `position` meets one. */
  meet(position: number, size: number): boolean {
    if (this.#numbers.size === 0 || size === 0) return false
    const last = Math.floor((position + size - 1) / SECTOR_SIZE)
    for (let sector = Math.floor(position / SECTOR_SIZE); sector <= last; sector++) {
      if (this.#numbers.has(sector)) return true
    }
    return false
  }

  /** A part of a sector cannot be written: the rest of it would have to be read first. */
  refuse(position: number, bytes: Uint8Array): boolean {
    if (this.#numbers.size === 0 || bytes.length === 0) return false
    const end = position + bytes.length
    const isPart = (edge: number) => edge % SECTOR_SIZE !== 0
    return (isPart(position) && this.meet(position, 1)) || (isPart(end) && this.meet(end - 1, 1))
  }

  written(position: number, { length }: Uint8Array): void {
    if (this.#numbers.size === 0) return
    for (const sector of this.#numbers) {
      const start = sector * SECTOR_SIZE
      if (start >= position && start + SECTOR_SIZE <= position + length)
        this.#numbers.delete(sector)
    }
  }

  cut(size: number): void {
    for (const sector of this.#numbers) {
      if (sector * SECTOR_SIZE >= size) this.#numbers.delete(sector)
    }
  }
}
