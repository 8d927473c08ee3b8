/** The project of README, "Real services": fixtures/shop, with another port and, where asked for, another image. */
import { cpSync, existsSync } from 'node:fs'
import { resolve } from 'node:path'
import * as assert from 'uvu/assert'
import { eventually, type Folder, folder, ps } from './scenario.ts'

const FIXTURE = resolve(import.meta.dirname, '../../fixtures/shop')
export const WEB_PORT = 18_080

/** What has to be installed: Debian packages redis-server, nginx-light, postgresql. */
export const missingServices = (): readonly string[] =>
  ['/usr/bin/redis-server', '/usr/sbin/nginx', '/usr/lib/postgresql'].filter((path) => !existsSync(path))

export const shop = (image: string): Folder => {
  const project = folder('', { '.env': `IMAGE=${image}\nWEB_PORT=${WEB_PORT}\n` })
  cpSync(FIXTURE, project.directory, { recursive: true })
  return project
}

const tool = (project: Folder, service: string, script: string): string =>
  project.run('exec', '-T', service, '/bin/sh', '-c', `PATH=$(echo /usr/lib/postgresql/*/bin):$PATH; ${script}`).trim()

const sql = (project: Folder, from: string, statement: string): string =>
  tool(project, from, `PGPASSWORD=shop psql -X -A -t -v ON_ERROR_STOP=1 -h db -U postgres -c "${statement}"`)

const isReady = (project: Folder): boolean =>
  project.try(['exec', '-T', 'db', '/bin/sh', '-c', '$(echo /usr/lib/postgresql/*/bin/pg_isready) -q -h db']).status ===
  0

const page = async (): Promise<string> => {
  const response = await fetch(`http://127.0.0.1:${WEB_PORT}/`)
  assert.is(response.status, 200)
  return response.text()
}

const up = async (project: Folder): Promise<void> => {
  project.run('up', '-d')
  await eventually(() => isReady(project), 'PostgreSQL answers', 30_000)
}

/** What a user would look at: names, users, the published port, data over `down` and `up`, clean stops. */
export const checkShop = async (project: Folder): Promise<void> => {
  await up(project)
  assert.match(await page(), /<h1>shop<\/h1>/)
  assert.is(tool(project, 'web', 'redis-cli -h cache set greeting hello'), 'OK')
  sql(project, 'web', "create table greetings as select 'hello'::text as word")
  assert.equal(
    ['cache', 'db'].map((service) => tool(project, service, 'id -un')),
    ['redis', 'postgres'],
  )
  project.run('stop')
  assert.equal(
    ps(project).map(({ Service, State, ExitCode }) => `${Service} ${State} ${ExitCode}`),
    ['cache exited 0', 'db exited 0', 'web exited 0'],
  )
  project.run('down')
  await up(project)
  assert.is(tool(project, 'web', 'redis-cli -h cache get greeting'), 'hello')
  assert.is(sql(project, 'web', 'select word from greetings'), 'hello')
  project.run('down', '-v')
  assert.equal(ps(project), [])
}
