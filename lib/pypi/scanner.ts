/**
 * Walks over a text by regular expressions and says at which character it stopped.
 */
import { RequirementError } from '../errors.js'

/** Reads a requirement from left to right. Expressions must be sticky (`y`). */
export class Scanner {
  position = 0

  constructor(
    readonly text: string,
    readonly where: string | undefined
  ) {}

  get atEnd(): boolean {
    return this.position === this.text.length
  }

  /** Takes what matches here, or nothing. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position
    const found = pattern.exec(this.text)?.[0]
    if (found !== undefined) this.position += found.length
    return found
  }

  /** Takes what must match here. @throws {@link RequirementError} */
  expect(pattern: RegExp, what: string): string {
    const found = this.take(pattern)
    if (found === undefined) throw this.error(`expected ${what}`)
    return found
  }

  /** Passes blanks; line ends are no blanks here. */
  space(): string | undefined {
    return this.take(/[ \t]+/y)
  }

  /** The error for the place where the scanner stands, or for another. */
  error(why: string, position = this.position): RequirementError {
    return new RequirementError(this.text, `${why}, at character ${position + 1}`, this.where, position)
  }
}
