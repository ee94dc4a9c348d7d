import { writeFileSync } from 'node:fs'
import t from 'tap'
import { Body } from '../../../../lib/http/body.js'
import {
  beginningOf,
  decodePieces,
  encodingOf,
  piecesOf,
  syntaxOf
} from '../../../../lib/pypi/documents/text.js'
import { chunks } from '../../../helpers/documents.js'

async function lengths(body: Body): Promise<number[]> {
  const found: number[] = []
  for await (const piece of piecesOf(body)) found.push(piece.length)
  return found
}

t.test('pieces', async t => {
  t.same(await lengths(new Body(Buffer.alloc(0))), [])
  t.same(await lengths(new Body(Buffer.alloc(16_384))), [16_384])
  t.same(await lengths(new Body(Buffer.alloc(40_000))), [16_384, 16_384, 7232])
  const path = `${t.testdir()}/body`
  writeFileSync(path, Buffer.alloc(40_000))
  const body = new Body({ path, size: 40_000 })
  t.same(await lengths(body), [16_384, 16_384, 7232])
  t.same(await lengths(body), [16_384, 16_384, 7232], 'more than once')
  t.equal((await beginningOf(body)).length, 16_384)
  t.equal((await beginningOf(new Body(Buffer.alloc(0)))).length, 0)
})

t.test('others have their turn between the pieces of a buffer', async t => {
  let turns = 0
  const interval = setInterval(() => turns++, 0)
  for await (const _ of piecesOf(new Body(Buffer.alloc(16_384 * 50)))) {
    const until = performance.now() + 2
    while (performance.now() < until);
  }
  clearInterval(interval)
  t.ok(turns > 10, `${turns} turns`)
})

async function decode(bytes: Uint8Array, encoding: string, size: number): Promise<string> {
  let text = ''
  for await (const piece of decodePieces(chunks(bytes, size), encoding)) {
    t.not(piece, '', 'no empty pieces')
    text += piece
  }
  return text
}

t.test('decoding', async t => {
  const odd = Buffer.from([
    0xef, 0xbb, 0xbf, 0x61, 0xc3, 0xa9, 0xff, 0xe2, 0x82, 0x62, 0xf0, 0x9f, 0x98, 0x80, 0xe2, 0x82
  ])
  for (const size of [1, 2, 3, 100])
    t.equal(await decode(odd, 'utf-8', size), new TextDecoder().decode(odd), `${size} at a time`)
  t.equal(await decode(odd, 'utf-8', 1), `a\u00e9\ufffd\ufffdb\u{1f600}\ufffd`)
  t.equal(await decode(Buffer.from('\ufeffhé', 'utf16le'), 'utf-16le', 1), 'hé')
  t.equal(await decode(Buffer.from([0xe9]), 'latin1', 1), 'é')
})

t.test('syntax', async t => {
  const of = (text: string | Buffer, type?: string) => syntaxOf(Buffer.from(text), type)
  t.equal(of('{}'), 'json')
  t.equal(of(' \r\n\t[]'), 'json')
  t.equal(of('\ufeff{}'), 'json')
  t.equal(of('<html>'), 'html')
  t.equal(of('\n\f<a>'), 'html')
  t.equal(of('<html>', 'application/json'), 'html', 'whatever the header says')
  t.equal(of('{}', 'text/html'), 'json')
  t.equal(of('Links: <a>', 'text/html; charset=x'), 'html')
  t.equal(of('Links: <a>', 'application/vnd.pypi.simple.v1+html'), 'html')
  t.equal(of(Buffer.from('\ufeff<a>', 'utf16le'), 'text/html'), 'html')
  t.equal(of('Not found', 'text/plain'), undefined)
  t.equal(of('Not found'), undefined)
  t.equal(of('', 'text/html'), undefined)
  t.equal(of('  ', 'text/html'), undefined)
  t.equal(of('\u001f\u008b', 'application/json'), undefined)
})

t.test('encoding of a page', async t => {
  const of = (bytes: Buffer | string, type?: string) => encodingOf(Buffer.from(bytes), type)
  t.equal(of('<html>'), 'utf-8')
  t.equal(of('<html>', 'text/html; charset=iso-8859-1'), 'iso-8859-1')
  t.equal(of('<meta charset=utf-8>', 'text/html; charset="Shift_JIS"'), 'Shift_JIS', 'the header comes first')
  t.equal(of('<meta charset="windows-1252">'), 'windows-1252')
  t.equal(of('<meta name=x><META http-equiv="Content-Type" content="text/html; charset=koi8-r">'), 'koi8-r')
  t.equal(of('<meta charset="utf-16">'), 'utf-8', 'it could not have been read')
  t.equal(of('<meta charset="klingon">'), 'utf-8')
  t.equal(of('<html>', 'text/html; charset=klingon'), 'utf-8')
  t.equal(of(`${' '.repeat(1024)}<meta charset="latin1">`), 'utf-8', 'too far in')
  t.equal(of(Buffer.from('\ufeff<', 'utf16le'), 'text/html; charset=utf-8'), 'utf-16le')
  t.equal(of(Buffer.from([0xfe, 0xff, 0, 0x3c])), 'utf-16be')
  t.equal(of('\ufeff<', 'text/html; charset=latin1'), 'utf-8')
})
