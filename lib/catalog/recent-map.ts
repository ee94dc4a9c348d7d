/**
 * A map that forgets what was not used lately. It holds at most `limit` entries, in two halves: when the newer
 * is full the older is dropped whole, so that forgetting costs nothing a call.
 */
export class RecentMap<K, V> {
  readonly #half: number
  #newer = new Map<K, V>()
  #older = new Map<K, V>()

  constructor(limit: number) {
    this.#half = Math.ceil(limit / 2)
  }

  get(key: K): V | undefined {
    const value = this.#newer.get(key)
    if (value !== undefined) return value
    const old = this.#older.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set(key: K, value: V): void {
    if (this.#newer.size >= this.#half) {
      this.#older = this.#newer
      this.#newer = new Map()
    }
    this.#newer.set(key, value)
  }
}
