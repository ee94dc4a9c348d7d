/**
 * Options that several commands have, and how text becomes a value.
 */
import { Command, InvalidArgumentError, Option } from 'commander'
import { OptionError } from '../lib/errors.js'

/** Collects an option that may be given more than once. */
export function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value]
}

/** Reads a whole number of `min` or more. */
export function wholeNumber(min: number): (value: string) => number {
  return value => {
    if (/^\d+$/.test(value) && Number(value) >= min) return Number(value)
    throw new InvalidArgumentError(`It must be a whole number of ${min} or more.`)
  }
}

/** Reads a whole number of 1 or more, or `auto`. */
export function concurrencyOf(value: string): number | 'auto' {
  if (value === 'auto' || (/^\d+$/.test(value) && Number(value) >= 1))
    return value === 'auto' ? value : Number(value)
  throw new InvalidArgumentError('It must be a whole number of 1 or more, or auto.')
}

/** Reads a number above 0. */
export function positive(value: string): number {
  if (/^(\d+|\d*\.\d+)$/.test(value) && Number(value) > 0) return Number(value)
  throw new InvalidArgumentError('It must be a number above 0.')
}

/** Reads a share, from 0 to 1. */
export function share(value: string): number {
  if (/^(0?\.\d+|[01](\.0*)?)$/.test(value)) return Number(value)
  throw new InvalidArgumentError('It must be a number from 0 to 1.')
}

/** A command with what all have: `--catalog`, `--json`, `--config`, and `--repository` where it is about one. */
export function catalogCommand(name: string, { repository = true } = {}): Command {
  const command = new Command(name).addOption(
    new Option('--catalog <location>', 'SQLite file of the catalog, or postgres://… of a database').default(
      'millrace.db'
    )
  )
  if (repository) {
    command.addOption(new Option('--repository <name>', 'repository in the catalog').default('pypi'))
  }
  return command
    .option('--config <file>', 'TOML file with options by their long names; those on the command line win')
    .option('--json', 'print the result as JSON')
}

/** Refuses an option that says nothing without another one; both by their names in `opts()`. @throws {@link OptionError} */
export function onlyWith(command: Command, other: string, name: string): void {
  if (command.getOptionValue(other)) return
  if (['default', undefined].includes(command.getOptionValueSource(name))) return
  const long = (wanted: string) => command.options.find(option => option.attributeName() === wanted)?.long
  throw new OptionError(`${long(name)}`, `given with ${long(other)}`, 'given without it')
}

/** The queue of a cluster. */
export function queueOption(): Option {
  return new Option(
    '--queue <location>',
    "queue of a cluster, postgres://… or redis://…: a database for each catalog (default: the catalog's)"
  )
}
