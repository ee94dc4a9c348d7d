/**
 * Calls under way by key: who asks for what is being worked out already waits for that answer.
 */
export class SharedCalls<V> {
  readonly #calls = new Map<string, Promise<V>>()

  async run(key: string, call: () => Promise<V>): Promise<V> {
    const running = this.#calls.get(key)
    if (running !== undefined) return running
    const started = call()
    this.#calls.set(key, started)
    try {
      return await started
    } finally {
      this.#calls.delete(key)
    }
  }
}
