/** Makes small archives, and wheels. */
import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipOptions {
  /** 0 for stored, 8 for deflated. @defaultValue 8 */
  readonly method?: number
  readonly flags?: number
  readonly comment?: string
}

/** An archive with these files. */
export function zipOf(
  files: Readonly<Record<string, string>>,
  { method = 8, flags = 0, comment = '' }: ZipOptions = {}
): Buffer {
  const locals: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, text] of Object.entries(files)) {
    const content = Buffer.from(text)
    const data = method === 8 ? deflateRawSync(content) : content
    const path = Buffer.from(name)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(flags, 2)
    common.writeUInt16LE(method, 4)
    common.writeUInt32LE(crc32(content), 10)
    common.writeUInt32LE(data.length, 14)
    common.writeUInt32LE(content.length, 18)
    common.writeUInt16LE(path.length, 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, path, data])
    const places = Buffer.alloc(14)
    places.writeUInt32LE(offset, 10)
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\0'), common, places, path]))
    locals.push(local)
    offset += local.length
  }
  const entries = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(directory.length, 8)
  end.writeUInt16LE(directory.length, 10)
  end.writeUInt32LE(entries.length, 12)
  end.writeUInt32LE(offset, 16)
  end.writeUInt16LE(comment.length, 20)
  return Buffer.concat([...locals, entries, end, Buffer.from(comment, 'latin1')])
}

export interface WheelOptions {
  readonly requires?: readonly string[]
  readonly requiresPython?: string
}

/** The bytes of a wheel that pip installs. */
export function wheelOf(
  name: string,
  version: string,
  { requires = [], requiresPython }: WheelOptions = {}
): { readonly filename: string; readonly content: Buffer; readonly metadata: string } {
  const stem = `${name}-${version}`
  const metadata = [
    'Metadata-Version: 2.1',
    `Name: ${name}`,
    `Version: ${version}`,
    ...(requiresPython === undefined ? [] : [`Requires-Python: ${requiresPython}`]),
    ...requires.map(requirement => `Requires-Dist: ${requirement}`),
    ''
  ].join('\n')
  const info = `${stem}.dist-info`
  const files = {
    [`${name}/__init__.py`]: `version = "${version}"\n`,
    [`${info}/METADATA`]: metadata,
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: millrace\nRoot-Is-Purelib: true\nTag: py3-none-any\n'
  }
  const record = [...Object.keys(files), `${info}/RECORD`].map(path => `${path},,\n`).join('')
  return {
    filename: `${stem}-py3-none-any.whl`,
    content: zipOf({ ...files, [`${info}/RECORD`]: record }),
    metadata
  }
}
