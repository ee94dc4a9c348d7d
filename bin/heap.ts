/**
 * Keeps the process small. Left to itself, V8 lets garbage grow to three times what is alive before it collects, and
 * does not look at the buffers of bodies, which are not in its heap, before there are 64 MB of them.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** How much the heap may grow before it is collected, in percent of what is alive. */
const GROWING_PERCENT = 20
/** How much the buffers may grow, in bytes, and how often that is looked at, in ms. */
const [BUFFERS, EVERY] = [16_000_000, 50]

/** For a process that is ours; one that embeds us decides for itself. */
export function keepHeapSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWING_PERCENT}`)
  const collect = collector()
  let left = 0
  const look = () => {
    const { arrayBuffers } = process.memoryUsage()
    left = Math.min(left, arrayBuffers)
    if (arrayBuffers < left + BUFFERS) return
    collect()
    left = process.memoryUsage().arrayBuffers
  }
  setInterval(look, EVERY).unref()
}

/** What collects all garbage at once, in a process that was started without `--expose-gc`. */
export function collector(): () => void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  setFlagsFromString('--no-expose-gc')
  return collect
}
