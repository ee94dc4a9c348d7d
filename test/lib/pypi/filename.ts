import t from 'tap'
import { parseSdistName, parseWheelName, readFilename, versionAfterName } from '../../../lib/pypi/filename.js'

t.test('the name of a wheel', async t => {
  t.strictSame(parseWheelName('Foo_Bar.x-1.0.post1+l.1-2b-py2.py3-none-any.whl'), {
    project: 'foo-bar-x',
    version: '1.0.post1+l.1',
    build: [2, 'b'],
    pythons: ['py2', 'py3'],
    abis: ['none'],
    platforms: ['any']
  })
  t.match(parseWheelName('a-1-cp311-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl'), {
    build: undefined,
    platforms: ['manylinux_2_17_x86_64', 'manylinux2014_x86_64']
  })
  t.match(parseWheelName('naïve-1-py3-none-any.whl'), { project: 'naïve' })
})

t.test('what is no name of a wheel', async t => {
  for (const filename of [
    'a-1-py3-none-any.zip',
    'a-1-py3-none.whl',
    'a-1-1-py3-none-any-x.whl',
    '-1-py3-none-any.whl',
    'a__b-1-py3-none-any.whl',
    'a b-1-py3-none-any.whl',
    'a-one-py3-none-any.whl',
    'a-1-x-py3-none-any.whl',
    'a-1-3.11-none-any.whl',
    'a-1-py3--any.whl',
    'a-1-py3-none-.whl',
    'a-1-py3.-none-any.whl',
    'a-1-py3-none-any/..whl'
  ])
    t.equal(parseWheelName(filename), undefined, filename)
})

t.test('the name of an sdist', async t => {
  t.strictSame(parseSdistName('Foo-Bar-1.0rc1.tar.gz'), { project: 'foo-bar', version: '1.0rc1' })
  t.strictSame(parseSdistName('a-1.zip'), { project: 'a', version: '1' })
  for (const filename of ['a-1.tar.bz2', 'a1.tar.gz', '-1.zip', 'a-.zip', 'a-one.tar.gz'])
    t.equal(parseSdistName(filename), undefined, filename)
})

/** File, project, kind, version. */
const FILES = [
  ['numpy-2.0.0-cp312-cp312-win_arm64.whl', 'numpy', 'bdist_wheel', '2.0.0'],
  ['Foo_Bar-1.0-py3-none-any.WHL', 'foo-bar', 'bdist_wheel', '1.0'],
  ['foo-bar-1.0-py3-none-any.whl', 'foo-bar', 'bdist_wheel', '1.0'],
  ['foo-1.0_1-py2-none-any.whl', 'foo', 'bdist_wheel', '1.0-1'],
  ['foo-0.7.4.svn_r2010-py2-none-any.whl', 'foo', 'bdist_wheel', '0.7.4.svn_r2010'],
  ['foo-1.0-py3-none-any-cpu1.whl', 'foo', 'bdist_wheel', '1.0'],
  ['other-1.0-py3-none-any.whl', 'foo', 'bdist_wheel', undefined],
  ['foo.whl', 'foo', 'bdist_wheel', undefined],
  ['zope.interface-4.5.0.tar.gz', 'zope-interface', 'sdist', '4.5.0'],
  ['foo-2-2.tgz', 'foo', 'sdist', '2-2'],
  ['foo-2-2.tgz', 'foo-2', 'sdist', '2'],
  ['pytz-2004d.tar.bz2', 'pytz', 'sdist', '2004d'],
  ['Foo-1.0.TAR.XZ', 'foo', 'sdist', '1.0'],
  ['foo-1.0.tar.Z', 'foo', 'sdist', '1.0'],
  ['my-linux-tools-1.0.zip', 'my-linux-tools', 'sdist', '1.0'],
  ['foo-win32-1.0.zip', 'foo-win32', 'sdist', '1.0'],
  ['other-1.0.zip', 'foo', 'sdist', undefined],
  ['foo-.zip', 'foo', 'sdist', undefined],
  ['luigi-1.0.linux-x86_64.tar.gz', 'luigi', 'bdist_dumb', '1.0'],
  ['foo-1.0.macosx-10.9-x86_64.tar.gz', 'foo', 'bdist_dumb', '1.0'],
  ['foo-1.0.win-amd64.zip', 'foo', 'bdist_dumb', '1.0'],
  ['foo_1.0.deb', 'foo', 'bdist_dumb', undefined],
  ['setuptools-0.6c11-py2.7.egg', 'setuptools', 'bdist_egg', '0.6c11'],
  ['foo-1.0-py2.7-linux-x86_64.egg', 'foo', 'bdist_egg', '1.0'],
  ['foo-1.0.win32-py2.7.exe', 'foo', 'bdist_wininst', '1.0'],
  ['foo-1.0.win-amd64.exe', 'foo', 'bdist_wininst', '1.0'],
  ['foo-1.0.win32-py3.3.msi', 'foo', 'bdist_msi', '1.0'],
  ['foo-1.0-1.noarch.rpm', 'foo', 'bdist_rpm', '1.0'],
  ['foo-1.0-1.src.rpm', 'foo', 'sdist', '1.0'],
  ['other-1.0-1.noarch.rpm', 'foo', 'bdist_rpm', undefined],
  ['foo-1.0-py2.4-macosx-10.3.dmg', 'foo', 'bdist_dmg', '1.0'],
  ['README.txt', 'foo', 'unknown', undefined],
  ['', 'foo', 'unknown', undefined]
] as const

t.test('files of every kind and age', async t => {
  for (const [filename, project, packageType, version] of FILES)
    t.strictSame(readFilename(filename, project), { packageType, version }, filename)
})

t.test('the version comes after the shortest name that fits', async t => {
  t.equal(versionAfterName('foo--bar-1.0', 'Foo.Bar'), '1.0')
  t.equal(versionAfterName('foo.bar--1.0', 'foo-bar'), '-1.0')
  t.equal(versionAfterName('foo.bar.-1.0', 'foo-bar'), undefined)
  t.equal(versionAfterName('foo', 'foo'), undefined)
})
