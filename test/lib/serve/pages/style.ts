import t from 'tap'
import { STYLE } from '../../../../lib/serve/pages/style.js'

t.test('each colour has a value on both grounds', async t => {
  const [light = '', dark = ''] = STYLE.split('@media (prefers-color-scheme: dark)').map(part =>
    part.slice(0, 600)
  )
  for (const [, name] of STYLE.matchAll(/var\((--\w+)\)/g)) {
    t.ok(light.includes(`${name}:`), `${name}`)
    if (!['--serif', '--mono'].includes(String(name)))
      t.ok(dark.includes(`${name}: #`), `${name} in the dark`)
  }
  t.equal(STYLE.split('{').length, STYLE.split('}').length)
})
