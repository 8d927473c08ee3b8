import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { applyChanges } from '../../src/image/change.ts'

const codeOf = (change: string): string => {
  try {
    applyChanges({}, [change])
    return 'no error'
  } catch (error) {
    return String((error as { code?: string }).code)
  }
}

test('instructions of a Dockerfile change the configuration in their order', () => {
  const config = applyChanges({ Env: ['PATH=/bin'], Cmd: ['/bin/sh'] }, [
    'CMD ["redis-server", "--save", ""]',
    'entrypoint exec /start "$@"',
    `ENV A=1 B="two words" PATH=/usr/bin C='x y'`,
    'ENV LEGACY with  spaces',
    'EXPOSE 6379 53/UDP',
    'LABEL a=b "c d"=e',
    'USER redis:redis',
    'VOLUME ["/data"]',
    'VOLUME /a /b',
    'WORKDIR data',
    'STOPSIGNAL SIGQUIT',
    'HEALTHCHECK --interval=5s --retries=2 CMD redis-cli ping',
  ])
  assert.equal(config, {
    Env: ['PATH=/usr/bin', 'A=1', 'B=two words', 'C=x y', 'LEGACY=with spaces'],
    Cmd: ['redis-server', '--save', ''],
    Entrypoint: ['/bin/sh', '-c', 'exec /start "$@"'],
    ExposedPorts: { '6379/tcp': {}, '53/udp': {} },
    Labels: { a: 'b', 'c d': 'e' },
    User: 'redis:redis',
    Volumes: { '/data': {}, '/a': {}, '/b': {} },
    WorkingDir: '/data',
    StopSignal: 'SIGQUIT',
    Healthcheck: { Test: ['CMD-SHELL', 'redis-cli ping'], Interval: 5e9, Retries: 2 },
  })
  assert.equal(applyChanges({}, ['SHELL ["/bin/bash", "-c"]', 'CMD run it']), {
    ...{ Shell: ['/bin/bash', '-c'], Cmd: ['/bin/bash', '-c', 'run it'] },
  })
  assert.equal(applyChanges({}, ['HEALTHCHECK NONE']), { Healthcheck: { Test: ['NONE'] } })
})

test('what cannot be applied to an import is refused', () => {
  for (const change of [
    'RUN make',
    'CMD',
    'EXPOSE http',
    'ENV A',
    'HEALTHCHECK --often CMD x',
    'HEALTHCHECK --retries=x CMD y',
  ])
    assert.is(codeOf(change), 'ECHANGE', change)
})

test.run()
