import t from 'tap'
import { type ExcludablePlatform, excludePlatformsFilter } from '../../../lib/filter/exclude-platforms.js'
import { makePackage } from '../../helpers/package.js'

const OF: Readonly<Record<ExcludablePlatform | 'nobody', readonly string[]>> = {
  windows: [
    'x-1-cp311-cp311-win32.whl',
    'x-1-cp311-cp311-win_amd64.whl',
    'x-1-cp311-cp311-win_arm64.whl',
    'x-1.win32-py2.7.exe',
    'x-1.msi',
    'x-1-py2.7-win-amd64.egg',
    'x-1.win32.zip'
  ],
  macos: [
    'x-1-cp311-cp311-macosx_11_0_arm64.whl',
    'x-1-cp311-cp311-macosx_10_9_x86_64.macosx_11_0_universal2.whl',
    'x-1.dmg',
    'x-1-py2.7-macosx-10.9-x86_64.egg',
    'x-1.macosx-10.9-x86_64.tar.gz'
  ],
  linux: [
    'x-1-cp311-cp311-manylinux1_x86_64.whl',
    'x-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl',
    'x-1-cp311-cp311-manylinux_2_28_aarch64.whl',
    'x-1-cp311-cp311-musllinux_1_2_x86_64.whl',
    'x-1-cp311-cp311-linux_armv7l.whl',
    'x-1-1.noarch.rpm',
    'x-1-py2.7-linux-x86_64.egg',
    'x-1.linux-x86_64.tar.gz'
  ],
  freebsd: [
    'x-1-cp311-cp311-freebsd_13_2_release_amd64.whl',
    'x-1-py2.7-freebsd-9.1-RELEASE-amd64.egg',
    'x-1.freebsd-9.1.tgz'
  ],
  nobody: [
    'x-1.tar.gz',
    'linux-x86_64.tar.gz',
    'x-1-py3-none-any.whl',
    'x-1-py3-none-any.win32.whl',
    'x-1-cp311-cp311-ios_13_0_arm64_iphoneos.whl',
    'x-1-cp311-cp311-android_21_arm64_v8a.whl',
    'x-1-cp311-cp311-emscripten_3_1_58_wasm32.whl',
    'x-1-py2.7.egg',
    'x-1.deb',
    'broken.whl',
    'README'
  ]
}
const SYSTEMS = ['windows', 'macos', 'linux', 'freebsd'] as const

t.test('each system alone, and all together', async t => {
  const all = Object.values(OF).flat()
  const kept = (excludePlatforms: readonly ExcludablePlatform[]): string[] => {
    const filter = excludePlatformsFilter({ excludePlatforms })
    return all.filter(file => filter?.keeps(makePackage('x', file)) ?? true)
  }
  for (const system of SYSTEMS)
    t.strictSame(
      kept([system]),
      all.filter(file => !OF[system].includes(file)),
      system
    )
  t.strictSame(kept(SYSTEMS), OF.nobody)
  t.strictSame(kept([]), all)
  t.equal(excludePlatformsFilter({}), undefined)
})

t.test('a wheel for two systems stays as long as one is wanted', async t => {
  const both = makePackage('x', 'x-1-py3-none-win32.macosx_11_0_arm64.whl')
  t.ok(excludePlatformsFilter({ excludePlatforms: ['windows'] })?.keeps(both))
  t.notOk(excludePlatformsFilter({ excludePlatforms: ['windows', 'macos'] })?.keeps(both))
})

t.test('bad options', async t => {
  for (const excludePlatforms of ['linux', ['other'], ['darwin']] as unknown as ['linux'][])
    t.throws(() => excludePlatformsFilter({ excludePlatforms }), {
      code: 'ERR_MILLRACE_OPTION',
      option: 'excludePlatforms'
    })
})
