import { once } from 'node:events'

/** Writes a line to stdout, at the reader's pace. */
export async function writeLine(line: string): Promise<void> {
  if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain')
}
