/** A certificate that is its own authority. `name`: `127.0.0.1`, or of a host. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'

export const makeCertificate = (directory: string, name: string) => {
  const [file, keyFile] = [join(directory, 'authority.pem'), join(directory, 'key.pem')]
  const subject = ['-subj', '/CN=test', '-addext', `subjectAltName=${isIP(name) ? 'IP' : 'DNS'}:${name}`]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', keyFile, '-out', file], { stdio: 'pipe' })
  return { file, keyFile, cert: readFileSync(file, 'utf8'), key: readFileSync(keyFile, 'utf8') }
}
