/** A certificate that is its own authority. `name`: `127.0.0.1`, or of a host. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'

const KEYS = {
  ec: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
  rsa: ['-newkey', 'rsa:2048'],
} as const

export const makeCertificate = (directory: string, name: string, key: keyof typeof KEYS = 'ec') => {
  const [file, keyFile] = [join(directory, 'authority.pem'), join(directory, 'key.pem')]
  const subject = ['-subj', '/CN=test', '-addext', `subjectAltName=${isIP(name) ? 'IP' : 'DNS'}:${name}`]
  const kind = [...KEYS[key], '-nodes', '-days', '2']
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', keyFile, '-out', file], { stdio: 'pipe' })
  return { file, keyFile, cert: readFileSync(file, 'utf8'), key: readFileSync(keyFile, 'utf8') }
}
