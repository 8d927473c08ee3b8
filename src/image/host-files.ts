/**
 * What `caisson/host` takes from /etc: the first list and nothing else. No shadow, no keys, no configuration that could carry a
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

/** A directory that a package makes when it is installed: empty, owned as there. */
export interface ServiceDirectory {
  readonly path: string
  /** Made where this machine has the user: the package is installed then. */
  readonly user: string
  /** Where the machine lacks it, that of `user`. */
  readonly group: string
  readonly mode: number
}

const owned = (user: string, paths: Readonly<Record<string, number>>, group = user): readonly ServiceDirectory[] =>
  Object.entries(paths).map(([path, mode]) => ({ path, user, group, mode }))

/**
 * Where packaged services keep data, logs, sockets and pid files. A service that does not run as root cannot make them, and
 * a volume mounted there gets its owner from them.
 */
export const SERVICE_DIRECTORIES: readonly ServiceDirectory[] = [
  ...owned('redis', { 'var/lib/redis': 0o750, 'run/redis': 0o2755 }),
  ...owned('redis', { 'var/log/redis': 0o2750 }, 'adm'),
  // data: what the official image calls it, so that a volume there belongs to postgres.
  ...owned('postgres', { 'var/lib/postgresql': 0o755, 'var/lib/postgresql/data': 0o700, 'run/postgresql': 0o2775 }),
  ...owned('root', { 'var/log/postgresql': 0o1775 }, 'postgres'),
  ...owned('mysql', { 'var/lib/mysql': 0o700, 'run/mysqld': 0o755, 'var/log/mysql': 0o2750 }),
  ...owned('rabbitmq', { 'var/lib/rabbitmq': 0o750, 'var/log/rabbitmq': 0o750 }),
  ...owned('mosquitto', { 'var/lib/mosquitto': 0o755, 'var/log/mosquitto': 0o755, 'run/mosquitto': 0o755 }),
  ...owned('memcache', { 'run/memcached': 0o755 }),
  // Started by root, which hands on what they need.
  ...owned('root', { 'var/lib/nginx': 0o755, 'var/log/nginx': 0o755, 'var/www/html': 0o755 }),
  ...owned('root', { 'var/log/apache2': 0o750, 'run/apache2': 0o755, 'run/lock/apache2': 0o755 }),
  ...owned('root', { 'run/php': 0o755, 'var/lib/php/sessions': 0o1733 }),
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
