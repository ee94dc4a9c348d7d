import t from 'tap'
import { barChart } from '../../../../lib/serve/pages/chart.js'

t.test('bars', async t => {
  const { markup } = barChart('all "runs"', [
    { value: 10, label: '<ten>', hollow: false },
    { value: 5, label: 'five', hollow: true },
    { value: 0, label: 'none', hollow: false },
    { value: 0.001, label: 'little', hollow: false }
  ])
  t.match(markup, 'role="img" aria-label="all &quot;runs&quot;"')
  t.match(markup, '<title>&lt;ten&gt;</title>')
  t.strictSame(
    [...markup.matchAll(/ height="([\d.]+)"/g)].map(([, height]) => height),
    ['48.0', '24.0', '0.0', '1.5']
  )
  t.match(markup, 'class="bar hollow"')
  t.match(barChart('none', []).markup, 'viewBox="0 0 240 48"')
  t.match(barChart('zero', [{ value: 0, label: '', hollow: false }]).markup, 'height="0.0"')
})
