/**
 * Questions that are answered together: one call at a time, and whoever asks while it runs is answered by the next. A call
 * begins after all of its questions came, so that no answer is older than its question.
 */
import { setImmediate as immediate } from 'node:timers/promises'

export class BatchedCalls<Question, Answer> {
  readonly #call: (questions: readonly Question[]) => Promise<readonly Answer[]>
  /** What the next call will ask, by key, and its answers. */
  #next:
    | { readonly questions: Map<string, Question>; readonly answers: Promise<Map<string, Answer>> }
    | undefined
  /** Resolves when no call runs. */
  #idle: Promise<unknown> = Promise.resolve()

  /** `call` gives as many answers as there are questions, in their order. */
  constructor(call: (questions: readonly Question[]) => Promise<readonly Answer[]>) {
    this.#call = call
  }

  /** Answers a question; those with the same `key` are one. */
  async ask(key: string, question: Question): Promise<Answer> {
    if (this.#next === undefined) {
      const questions = new Map<string, Question>()
      const answers = this.#idle.then(() => this.#answer(questions))
      this.#idle = answers.catch(() => {})
      this.#next = { questions, answers }
    }
    const { questions, answers } = this.#next
    questions.set(key, question)
    return (await answers).get(key) as Answer
  }

  async #answer(questions: ReadonlyMap<string, Question>): Promise<Map<string, Answer>> {
    // What has come in at the same time is read first.
    await immediate()
    this.#next = undefined
    const answers = await this.#call([...questions.values()])
    return new Map([...questions.keys()].map((key, at) => [key, answers[at] as Answer]))
  }
}
