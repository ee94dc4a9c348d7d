/**
 * Notes in the catalog which files were found to be right, and passes the others on.
 *
 * in     `CheckedFile`
 * out    those with which something is wrong, with the packages that have them; in order
 * holds  as {@link BatchTransform}
 * fails  with a `CatalogError`
 *
 * A file that the catalog no longer knows is neither: it was removed while it was read.
 */
import type { BrokenFile, CheckedFile, Verification } from '../lib/catalog/verification.js'
import { BatchTransform, type BatchTransformOptions } from './batch-transform.js'

export interface FileJudgeOptions extends BatchTransformOptions {
  /** From `Catalog.beginVerification`. */
  readonly verification: Verification
}

export class FileJudge extends BatchTransform<CheckedFile, BrokenFile> {
  readonly #verification: Verification

  constructor({ verification, maxWaitMs = 2000, ...options }: FileJudgeOptions) {
    super({ ...options, maxWaitMs })
    this.#verification = verification
  }

  protected override async _batch(files: readonly CheckedFile[]): Promise<BrokenFile[]> {
    return await this.#verification.judge(files, new Date().toISOString())
  }
}
