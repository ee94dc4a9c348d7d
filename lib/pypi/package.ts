/**
 * The two records that flow through the pipeline, and the shape of what upstream says of a file.
 */

/** A project of an index, and how to fetch its document. */
export interface Project {
  /** Normalised name (PEP 503). */
  readonly project: string
  /** The name as the index lists it. */
  readonly name: string
  /** Where its document lies. */
  readonly url: string
  /** Headers for the request: `accept`, and what makes it conditional. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** `_last-serial` of the listing, where the index has one. */
  readonly serial?: number | undefined
  /** SHA-256 of the document that was read last: one that has not changed is not read again. */
  readonly digest?: string | undefined
}

/** Digests by algorithm, in lower-case hex: `sha256`, `md5`, `blake2b_256`, … */
export type Digests = Readonly<Record<string, string>>

/** One file of a project: a wheel, an sdist, or an older kind. */
export interface Package {
  /** Normalised name of the project (PEP 503). */
  readonly project: string
  /** The project's name as published. */
  readonly name: string
  /** Version as published; `undefined` where the file name and the document give none. */
  readonly version: string | undefined
  readonly filename: string
  /** Absolute. */
  readonly url: string
  readonly digests: Digests
  /** Bytes; `undefined` where the index does not say. */
  readonly size: number | undefined
  readonly packageType: PackageType
  /** PEP 440 specifiers as published (PEP 345, 503). */
  readonly requiresPython: string | undefined
  /** `false`, or the reason, which may be empty (PEP 592). */
  readonly yanked: false | string
  /** ISO 8601, UTC (PEP 700). */
  readonly uploadTime: string | undefined
  /** `true` or its digests where `URL.metadata` exists, `false` where it does not (PEP 658, 714). */
  readonly coreMetadata: boolean | Digests
  /** URL of the provenance document (PEP 740). */
  readonly provenance: string | undefined
}

/** What kind of file it is: warehouse's words. `unknown` where neither the document nor the file name tells. */
export type PackageType =
  | 'sdist'
  | 'bdist_wheel'
  | 'bdist_egg'
  | 'bdist_wininst'
  | 'bdist_msi'
  | 'bdist_dumb'
  | 'bdist_rpm'
  | 'bdist_dmg'
  | 'unknown'

/** What a project's page says of the project itself (PEP 792). */
export type ProjectStatus = 'active' | 'archived' | 'quarantined' | 'deprecated'
