/** A certificate that is its own authority, for an address of loopback. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const makeCertificate = (directory: string, address: string) => {
  const [file, keyFile] = [join(directory, 'authority.pem'), join(directory, 'key.pem')]
  const subject = ['-subj', '/CN=test', '-addext', `subjectAltName=IP:${address}`]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', keyFile, '-out', file], { stdio: 'pipe' })
  return { file, keyFile, cert: readFileSync(file, 'utf8'), key: readFileSync(keyFile, 'utf8') }
}
