/** A small internet of network namespaces, without names on the machine: each is held by a process of this test. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

export interface Namespace {
  readonly path: string
  readonly pid: number
  /** Runs a command in it; throws with its stderr if it fails. */
  run(command: string, ...args: string[]): string
  /** Runs shell lines in it. */
  shell(script: string): string
}

/** Says what it sees: `<own port> <peer address>` to each TCP connection and UDP datagram. */
const SERVER = `
import socket, sys, threading
def tcp(host, port):
    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind((host, port)); s.listen(16)
    threading.Thread(target=serve, args=(s, port), daemon=True).start()
def serve(s, port):
    while True:
        c, peer = s.accept(); c.sendall(f"{port} {peer[0]}".encode()); c.close()
def udp(host, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((host, port))
    threading.Thread(target=echo, args=(s, port), daemon=True).start()
def echo(s, port):
    while True:
        _, peer = s.recvfrom(512); s.sendto(f"{port} {peer[0]}".encode(), peer)
for spec in sys.argv[1:]:
    kind, host, port = spec.split("/"); (tcp if kind == "tcp" else udp)(host, int(port))
print("ready", flush=True)
sys.stdin.read()
`

/** Prints the answer, or how it failed. */
const CLIENT = `
import socket, sys
kind, host, port, bind = sys.argv[1:5]
s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
s.settimeout(0.4)
try:
    if bind: s.bind((bind, 0))
    s.connect((host, int(port)))
    if kind == "udp": s.send(b"x")
    print(s.recv(512).decode() or "closed", end="")
except ConnectionRefusedError: print("refused", end="")
except (socket.timeout, TimeoutError): print("timeout", end="")
except OSError as e: print(e.strerror, end="")
`

export const PYTHON = '/usr/bin/python3'

export class World {
  private readonly children: ChildProcess[] = []

  async namespace(): Promise<Namespace> {
    const child = spawn('unshare', ['-n', 'sh', '-c', 'ip link set lo up; echo ready; exec sleep 600'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await this.ready(child)
    const pid = child.pid ?? 0
    const path = `/proc/${pid}/ns/net`
    const run = (command: string, ...args: string[]) => {
      const done = spawnSync('nsenter', [`--net=${path}`, command, ...args], { encoding: 'utf8' })
      if (done.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${done.stderr}`)
      return done.stdout
    }
    return { path, pid, run, shell: (script) => run('sh', '-ec', script) }
  }

  /** Serves `tcp/<host>/<port>` and `udp/…` in a namespace. */
  async serve(where: Namespace, ...specs: string[]): Promise<ChildProcess> {
    const child = spawn('nsenter', [`--net=${where.path}`, PYTHON, '-c', SERVER, ...specs], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    await this.ready(child)
    return child
  }

  /** What a client there gets: `80 10.0.0.1`, `refused`, `timeout`, or an error's text. */
  async ask(from: Namespace, kind: 'tcp' | 'udp', host: string, port: number, bind = ''): Promise<string> {
    const args = [`--net=${from.path}`, PYTHON, '-c', CLIENT, kind, host, `${port}`, bind]
    const { stdout } = await promisify(execFile)('nsenter', args)
    return stdout
  }

  /** A container: a namespace with eth0 on `bridge`. */
  async container(root: Namespace, bridge: string, address: string, gateway: string): Promise<Namespace> {
    const container = await this.namespace()
    const host = `v${container.pid}`
    root.shell(`ip link add ${host} type veth peer name eth0 netns ${container.pid}
      ip link set ${host} master ${bridge} up`)
    container.shell(`ip addr add ${address}/24 dev eth0; ip link set eth0 up
      ${gateway && `ip route add default via ${gateway}`}`)
    return container
  }

  end(child: ChildProcess): Promise<void> {
    return new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve()
      child.once('exit', () => resolve())
      child.kill('SIGKILL')
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.children.map((child) => this.end(child)))
  }

  private async ready(child: ChildProcess): Promise<void> {
    this.children.push(child)
    await new Promise<void>((resolve, reject) => {
      child.stdout?.once('data', () => resolve())
      child.once('exit', (code) => reject(new Error(`ended early: ${code}`)))
    })
  }
}

/** Waits until `check` says so; a sentence of what was waited for otherwise. */
export const eventually = async (what: string, check: () => boolean, milliseconds = 3000): Promise<void> => {
  for (const end = Date.now() + milliseconds; Date.now() < end; await sleep(20)) if (check()) return
  throw new Error(`not in time: ${what}`)
}
