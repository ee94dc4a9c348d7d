/**
 * Writes down in the catalog which files the store has now. No client waits for that: while a sync commits, it may
 * take a while. What could not be written down is found in the store all the same, at the next request.
 */
import type { IndexReader } from '../catalog/index-reader.js'

type Record = Parameters<IndexReader['recordFiles']>[0][number]

export class FileRecords {
  readonly #reader: IndexReader
  readonly #log: (line: string) => void
  #pending: Record[] = []
  #writing: Promise<void> | undefined

  constructor(reader: IndexReader, log: (line: string) => void) {
    this.#reader = reader
    this.#log = log
  }

  add(record: Record): void {
    this.#pending.push(record)
    this.#writing ??= this.#write()
  }

  /** Resolves when all is written. */
  async flush(): Promise<void> {
    await this.#writing
  }

  async #write(): Promise<void> {
    try {
      while (this.#pending.length > 0) {
        const records = this.#pending
        this.#pending = []
        await this.#reader.recordFiles(records)
      }
    } catch (error) {
      this.#log((error as Error).message)
    } finally {
      this.#writing = undefined
    }
  }
}
