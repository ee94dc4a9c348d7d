/**
 * All benchmarks, in the order in which they run and are shown.
 */
import { again } from './again.js'
import { auto } from './auto.js'
import { catalog } from './catalog.js'
import { cluster } from './cluster.js'
import { downloader } from './downloader.js'
import { files } from './files.js'
import { floor } from './floor.js'
import { growth } from './growth.js'
import type { Benchmark } from './harness/bench.js'
import { parse } from './parse.js'
import { peers } from './peers.js'
import { serialVsParallel } from './serial-vs-parallel.js'
import { serve } from './serve.js'
import { stageOverhead } from './stage-overhead.js'

export const benchmarks: readonly Benchmark[] = [
  serialVsParallel,
  auto,
  floor,
  peers,
  downloader,
  parse,
  catalog,
  files,
  cluster,
  growth,
  again,
  serve,
  stageOverhead
]
