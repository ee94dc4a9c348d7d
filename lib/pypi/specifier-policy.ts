/**
 * Which versions a set of specifiers chooses from a list, with what PEP 440 says of pre-releases: they are left out
 * unless they are asked for, a specifier names one, or there is nothing else. This is how an installer chooses; the
 * filters do not, since what is the only version today is not the only one tomorrow.
 * @see https://packaging.python.org/en/latest/specifications/version-specifiers/#handling-of-pre-releases
 */
import { meets, type Specifier } from './specifier.js'
import { isPrerelease, parseVersion } from './version.js'

/**
 * Chooses from a list, in its order.
 * @param prereleases `true` for pre-releases too, `false` for never; by PEP 440's policy where it is not given.
 */
export function chooseVersions(
  specifiers: readonly Specifier[],
  versions: readonly string[],
  prereleases: boolean | undefined = specifiers.some(namesPrerelease) || undefined
): string[] {
  const met = versions
    .map(text => ({ text, version: parseVersion(text) }))
    .filter(({ text, version }) => meets(specifiers, version, text))
  const finals = met.filter(({ version }) => version === undefined || !isPrerelease(version))
  const chosen = prereleases || (prereleases === undefined && finals.length === 0) ? met : finals
  return chosen.map(({ text }) => text)
}

function namesPrerelease({ operator, version, wildcard }: Specifier): boolean {
  return operator !== '!=' && !wildcard && version !== undefined && isPrerelease(version)
}
