/** The writable layer of a container: what overlayfs puts on top of an image's layers. */
import { chmodSync, chownSync, existsSync, mkdirSync, statSync, utimesSync } from 'node:fs'
import type { ContainerPaths } from '../state/layout.ts'
import { removeTree } from '../state/store.ts'

const MODE = 0o7777

/** The root of an overlay is as its topmost layer has it: so the new one takes over what the image says of `/`. */
const takeOver = (from: string, to: string): void => {
  const { uid, gid, mode, atimeMs, mtimeMs } = statSync(from)
  chownSync(to, uid, gid)
  chmodSync(to, mode & MODE)
  utimesSync(to, atimeMs / 1000, mtimeMs / 1000)
}

/** `top`: the image's topmost layer; undefined: it has none. What the container wrote before stays. */
export const makeWritable = ({ upper, work }: ContainerPaths, top: string | undefined): void => {
  removeTree(work) // overlayfs wants a fresh one
  mkdirSync(work, { recursive: true, mode: 0o755 })
  if (existsSync(upper)) return
  mkdirSync(upper, { recursive: true, mode: 0o755 })
  if (top !== undefined) takeOver(top, upper)
}
