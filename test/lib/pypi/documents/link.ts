import { readFileSync } from 'node:fs'
import t from 'tap'
import { hashOfFragment, hashOfMetadataAttribute } from '../../../../lib/pypi/documents/link.js'
import { sharedData } from '../../../helpers/shared-data.js'

t.same(hashOfFragment('sha256=aa11'), { sha256: 'aa11' })
t.same(hashOfFragment('egg=x&md5=bb22&subdirectory=y'), { md5: 'bb22' })
t.same(hashOfFragment('sha256='), { sha256: '' }, 'empty is for the check of digests to refuse')
t.equal(hashOfFragment('xsha256=aa11'), undefined)
t.equal(hashOfFragment('sha500=aa11'), undefined)
t.equal(hashOfFragment(''), undefined)

t.equal(hashOfMetadataAttribute(undefined), undefined)
t.equal(hashOfMetadataAttribute('false'), false)
t.equal(hashOfMetadataAttribute('true'), true)
t.equal(hashOfMetadataAttribute(''), true, 'an attribute without a value')
t.equal(hashOfMetadataAttribute('aa11'), true)
t.same(hashOfMetadataAttribute('sha256=aa11'), { sha256: 'aa11' })

const cases = sharedData('conformance', 'links-pip.json')
t.test('the hashes of the link suite of pip', { skip: cases === undefined && 'no shared data' }, async t => {
  const suite = JSON.parse(readFileSync(cases as string, 'utf8'))
  const hashes = (text: string) => {
    const [, name, value] = /name='(\w+)', value='(.*)'/.exec(text) ?? []
    return name === undefined ? undefined : { [name]: value }
  }
  for (const { url, result } of suite.link_hash) {
    const hash = url.indexOf('#')
    t.same(hash < 0 ? undefined : hashOfFragment(url.slice(hash + 1)), hashes(String(result)), url)
  }
  for (const { metadata_attrib, expected } of suite.metadata_file_info) {
    const [, name, value] = /hashes=\{'(\w+)': '(.*)'\}/.exec(String(expected)) ?? []
    const wanted = expected === null ? undefined : name === undefined ? true : { [name]: value }
    t.same(hashOfMetadataAttribute(metadata_attrib ?? undefined), wanted, String(metadata_attrib))
  }
  t.comment(`${suite.link_hash.length + suite.metadata_file_info.length} cases`)
})
