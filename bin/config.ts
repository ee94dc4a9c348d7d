/**
 * Options from a TOML file: the long names without the dashes, with what the command line would say.
 *
 *     index-url = "https://pypi.org/simple/"
 *     include = ["numpy", "scipy>=1.10"]
 *     mirror = true
 */
import { readFileSync } from 'node:fs'
import type { Command, Option } from 'commander'
import { parse } from 'smol-toml'
import { OptionError } from '../lib/errors.js'

/**
 * Gives `command` the values of its `--config` file for all options that the command line does not name.
 * @throws {@link OptionError} naming the file and what is wrong with it
 */
export function applyConfig(command: Command): void {
  const file = command.opts().config as string | undefined
  if (file === undefined) return
  for (const [name, value] of Object.entries(read(file))) {
    const option = command.options.find(({ long }) => long === `--${name}`)
    if (option === undefined || name === 'config') {
      throw new OptionError(
        '--config',
        `a file with options of ${command.name()}`,
        `${file}, which has ${JSON.stringify(name)}`
      )
    }
    const attribute = option.attributeName()
    if (command.getOptionValueSource(attribute) === 'cli') continue
    command.setOptionValueWithSource(attribute, settingOf(option, value, file), 'config')
  }
}

function read(file: string): Record<string, unknown> {
  try {
    return parse(readFileSync(file, 'utf8'))
  } catch (error) {
    const [why] = (error as Error).message.split('\n')
    throw new OptionError('--config', 'a readable TOML file', `${file}: ${why}`)
  }
}

/** What the command line would make of the value, each element of an array as one use of the option. */
function settingOf(option: Option, value: unknown, file: string): unknown {
  const where = `${option.long} of ${file}`
  if (option.isBoolean()) {
    if (typeof value === 'boolean') return value
    throw new OptionError(where, 'true or false', JSON.stringify(value))
  }
  let result: unknown
  for (const element of Array.isArray(value) ? value : [value]) {
    if (typeof element !== 'string' && typeof element !== 'number') {
      throw new OptionError(where, 'text, a number, or an array of them', JSON.stringify(element))
    }
    try {
      result = option.parseArg === undefined ? String(element) : option.parseArg(String(element), result)
    } catch (error) {
      throw new OptionError(where, 'a value that the option takes', `${element}: ${(error as Error).message}`)
    }
  }
  return result
}
