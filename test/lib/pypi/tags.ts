import t from 'tap'
import {
  expandTags,
  platformOfTag,
  supportsPython,
  type TagSets,
  tagsOfWheel
} from '../../../lib/pypi/tags.js'

t.test('the tags in the name of a wheel', async t => {
  t.strictSame(tagsOfWheel('A-1-2b-CP311.py3-none.abi3-any.whl'), {
    pythons: ['cp311', 'py3'],
    abis: ['none', 'abi3'],
    platforms: ['any']
  })
  t.match(tagsOfWheel('a-1-py3-none-win32-cpu1.whl'), { platforms: ['win32'] }, 'a variant')
  t.equal(tagsOfWheel('a-1-py3-none.whl'), undefined)
  t.equal(tagsOfWheel('a.whl'), undefined)
})

t.test('a compressed set stands for each with each', async t => {
  t.strictSame(expandTags(tagsOfWheel('a-1-py2.py3-none-x.y.whl') as TagSets), [
    'py2-none-x',
    'py2-none-y',
    'py3-none-x',
    'py3-none-y'
  ])
})

t.test('the system of a platform tag', async t => {
  for (const [platform, ...tags] of [
    [undefined, 'any'],
    ['windows', 'win32', 'win_amd64', 'win_arm64', 'win_ia64', 'mingw_x86_64'],
    ['macos', 'macosx_10_9_x86_64', 'macosx_11_0_arm64', 'macosx_10_6_universal2'],
    ['linux', 'linux_x86_64', 'linux_armv7l', 'manylinux1_i686', 'manylinux2014_aarch64'],
    ['linux', 'manylinux_2_28_x86_64', 'musllinux_1_2_riscv64'],
    ['freebsd', 'freebsd_13_2_release_amd64'],
    ['other', 'ios_13_0_arm64_iphoneos', 'android_21_arm64_v8a', 'emscripten_3_1_58_wasm32'],
    ['other', 'pyodide_2024_0_wasm32', 'solaris_2_11_i86pc', 'aix_7_2', 'windmill']
  ] as const)
    for (const tag of tags) t.equal(platformOfTag(tag as string), platform, tag)
})

t.test('which Pythons a wheel is for', async t => {
  const can = (tags: string, version: string): boolean => {
    const [major, minor] = version.split('.').map(Number) as [number, number]
    return supportsPython(tagsOfWheel(`a-1-${tags}-any.whl`) as TagSets, major, minor)
  }
  for (const [tags, good, bad] of [
    ['py3-none', '3.0 3.11', '2.7'],
    ['py2.py3-none', '2.7 3.11', ''],
    ['py310-none', '3.10 3.13', '3.9 2.7'],
    ['cp311-cp311', '3.11', '3.10 3.12 2.7'],
    ['cp311-cp311t', '3.11', '3.12'],
    ['cp311-none', '3.11', '3.12'],
    ['cp38-abi3', '3.8 3.14', '3.7 2.7'],
    ['cp315-abi3t', '3.15 3.16', '3.14'],
    ['cp3-none', '3.5', '2.7'],
    ['cp27-cp27mu', '2.7', '3.7'],
    ['pp39-pypy39_pp73', '3.9', '3.10'],
    ['pp39-abi3', '3.9', '3.10'],
    ['graalpy311-graalpy242_311_native', '3.11', '3.12'],
    ['py3_9-none', '3.9 3.10', '3.8'],
    ['cp39.cp310-cp39.cp310', '3.9 3.10', '3.11'],
    ['any-none', '2.7 3.11', '']
  ] as const) {
    for (const version of good.split(' ')) t.ok(can(tags, version), `${tags} for ${version}`)
    for (const version of bad === '' ? [] : bad.split(' '))
      t.notOk(can(tags, version), `${tags} not for ${version}`)
  }
})
