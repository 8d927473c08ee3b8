import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ciOf, formatAnnotation, formatGroup, formatGuard, harmless, harmlessLine } from '../../../src/cli/render/ci.ts'
import { plainText } from '../../../src/cli/render/plain-text.ts'

test('the runner is told by its environment', () => {
  assert.is(ciOf({ GITHUB_ACTIONS: 'true' }), 'github')
  assert.is(ciOf({ GITLAB_CI: 'true' }), 'gitlab')
  assert.is(ciOf({ CI: 'true', GITHUB_ACTIONS: 'false' }), undefined)
})

test('an annotation has its place as the repository names it, and nothing in it can end it', () => {
  const place = { file: '/work/repo/deploy/a,b:c.yaml', line: 3, column: 5 }
  const annotation = { title: 'service web', message: '100% broken\r\n::error::forged', place }
  assert.is(
    formatAnnotation(annotation, '/work/repo'),
    '::error file=deploy/a%2Cb%3Ac.yaml,line=3,col=5,title=service web::100%25 broken%0D%0A::error::forged\n',
  )
  assert.match(formatAnnotation(annotation, '/elsewhere'), /file=\/work\/repo/)
  assert.is(
    formatAnnotation({ ...annotation, message: 'm', place: undefined }, undefined),
    '::error title=service web::m\n',
  )
})

test('groups and sections begin at column 0', () => {
  const group = { id: 'change_shop', title: 'Changes of project shop', now: 1_700_000_000_500 }
  assert.equal(formatGroup('github', group), { begin: '::group::Changes of project shop\n', end: '::endgroup::\n' })
  assert.equal(formatGroup('gitlab', group), {
    begin: '\x1b[0Ksection_start:1700000000:change_shop\r\x1b[0KChanges of project shop\n',
    end: '\x1b[0Ksection_end:1700000000:change_shop\r\x1b[0K\n',
  })
  assert.equal(formatGroup(undefined, group), { begin: '', end: '' })
})

test('what a service writes is guarded on GitHub and broken on GitLab', () => {
  assert.equal(formatGuard('github', 'secret'), { begin: '::stop-commands::secret\n', end: '::secret::\n' })
  const hostile = Buffer.from('a | \x1b[0Ksection_start:1:x\r\x1b[0Kfaked \xff\n', 'latin1')
  assert.is(harmless('github', hostile), hostile)
  assert.is(harmless('gitlab', hostile).toString('latin1'), hostile.toString('latin1').replace('_start', '-start'))
  assert.is(harmlessLine('github', 'x ##[error]y'), 'x ## [error]y')
})

test('text of others keeps no control characters', () => {
  assert.is(plainText('\x1b[31mred\x1b[0m\rover\x07 \x1b]0;title\x07tab\there \u009b31m'), 'redover tab\there 31m')
  assert.is(plainText('half \ud800 pair 😀'), 'half \ufffd pair 😀')
})

test.run()
