import t from 'tap'
import { ASSETS } from '../../../../lib/serve/pages/assets.js'
import { SCRIPT } from '../../../../lib/serve/pages/script.js'

t.test('assets are named by their content', async t => {
  t.equal(ASSETS.script.text, SCRIPT)
  for (const { url, type, text } of Object.values(ASSETS)) {
    t.match(url, /^[0-9a-f]{12}\/\w+\.\w+$/)
    t.match(type, /^(text\/css|text\/javascript|image\/svg\+xml)/)
    t.notMatch(
      text.replace('xmlns="http://www.w3.org/2000/svg"', ''),
      /https?:|\/\/[a-z]|@import|url\(/,
      'nothing from elsewhere'
    )
  }
})
