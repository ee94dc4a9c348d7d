import t from 'tap'
import { formatMarker, type Marker, scanMarker } from '../../../lib/pypi/marker.js'
import { Scanner } from '../../../lib/pypi/scanner.js'

const read = (text: string): Marker => scanMarker(new Scanner(text, undefined))

t.test('and binds more tightly than or, and parentheses stay where they count', async t => {
  for (const [text, normal] of [
    [`os_name=='posix'`, `os_name == "posix"`],
    [`(((os_name=='posix')))`, `os_name == "posix"`],
    [`'linux' in sys.platform`, `"linux" in sys_platform`],
    [`extra not  in "a b"`, `extra not in "a b"`],
    [`'A_b' == extra`, `"a-b" == extra`],
    [`python_implementation === "x"`, `platform_python_implementation === "x"`],
    [`os.name=="a" or extra=="b" and extra=="c"`, `os_name == "a" or extra == "b" and extra == "c"`],
    [
      `(os_name=="a"or extra=="b")and(extra=="c" or extra=="d")`,
      `(os_name == "a" or extra == "b") and (extra == "c" or extra == "d")`
    ],
    [`'say "hi"' == platform_version`, `'say "hi"' == platform_version`],
    [`os_name == "a\\x41\\u0042\\n\\\\\\'\\q"`, `os_name == "aAB\n\\'\\q"`]
  ] as const)
    t.equal(formatMarker(read(text)), normal, text)
})

t.test('the tree', async t => {
  t.strictSame(read('python_version < "3" and extra == "x"'), {
    join: 'and',
    markers: [
      { left: { variable: 'python_version' }, operator: '<', right: { literal: '3' } },
      { left: { variable: 'extra' }, operator: '==', right: { literal: 'x' } }
    ]
  })
})

t.test('what is no marker', async t => {
  for (const text of [
    '',
    'os_name',
    'os_name ==',
    'os_name = "x"',
    'os_nam == "x"',
    'os_name_x == "x"',
    '(os_name == "x"',
    'os_name == "x" and',
    'os_name notin "x"',
    'os_name not "x"',
    'os_name == "x\'',
    'os_name == "C:\\"',
    'os_name == "\\x4"'
  ])
    t.throws(() => read(text), { code: 'ERR_MILLRACE_REQUIREMENT' }, text)
})
