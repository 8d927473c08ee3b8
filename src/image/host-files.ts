/**
 * What `caisson/host` takes from /etc: this list and nothing else. No shadow, no keys, no configuration that could carry a
 * password. "World-readable" is no rule: machines have world-readable secrets.
 */

/** Copied as they are: a file, a link, or a directory with everything below it that all may read. */
export const ETC_ALLOWED: readonly string[] = [
  ...['alternatives', 'bash.bashrc', 'ca-certificates.conf', 'debian_version', 'ethertypes', 'fonts', 'gai.conf'],
  ...['host.conf', 'inputrc', 'issue', 'ld.so.cache', 'ld.so.conf', 'ld.so.conf.d', 'locale.alias', 'localtime'],
  ...['login.defs', 'lsb-release', 'magic', 'magic.mime', 'mime.types', 'networks', 'nsswitch.conf', 'os-release'],
  ...['pki/ca-trust/extracted', 'pki/tls/certs', 'profile', 'protocols', 'redhat-release', 'rpc', 'services', 'shells'],
  ...['ssl/certs', 'ssl/openssl.cnf', 'terminfo', 'timezone', 'xattr.conf', 'crypto-policies'],
  // Packaged services and runtimes that read these before their own configuration.
  ...['java-11-openjdk', 'java-17-openjdk', 'java-21-openjdk', 'perl', 'python3', 'python3.11', 'python3.13'],
  ...['nginx/fastcgi.conf', 'nginx/fastcgi_params', 'nginx/koi-utf', 'nginx/koi-win', 'nginx/mime.types'],
  ...['nginx/modules-available', 'nginx/modules-enabled', 'nginx/nginx.conf', 'nginx/proxy_params'],
  ...['nginx/scgi_params', 'nginx/uwsgi_params', 'nginx/win-utf'],
  ...['apache2/apache2.conf', 'apache2/envvars', 'apache2/magic', 'apache2/mods-available', 'apache2/mods-enabled'],
  ...['apache2/ports.conf', 'postgresql-common/createcluster.conf', 'mysql/my.cnf', 'mysql/conf.d'],
]

/** Never copied, wherever they stand. */
export const isSecret = (name: string): boolean => /(^|\/)private(\/|$)|\.(key|pem\.key|p12|pfx)$/.test(name)

/** /etc/passwd or /etc/group without passwords and personal data (GECOS): user, x, uid, gid, '', home, shell. */
export const withoutSecrets = (text: string, file: 'passwd' | 'group'): string =>
  text
    .split('\n')
    .filter((line) => line.includes(':') && !line.startsWith('#'))
    .map((line) => {
      const fields = line.split(':')
      return fields.map((field, index) => (index === 1 ? 'x' : file === 'passwd' && index === 4 ? '' : field)).join(':')
    })
    .map((line) => `${line}\n`)
    .join('')
