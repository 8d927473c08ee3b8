/** What a tree takes of the disk: blocks, not lengths, and a file with several names once. */
import { lstatSync, readdirSync, type Stats } from 'node:fs'

const BLOCK = 512

const lookAt = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false })

const entriesOf = (path: string): readonly string[] => {
  try {
    return readdirSync(path)
  } catch {
    return [] // it has just gone
  }
}

/** 0 where there is none. Other file systems that are mounted in it are not counted. */
export const treeBytes = (root: string): number => {
  const device = lookAt(root)?.dev
  const seen = new Set<number>()
  const pending = [root]
  let bytes = 0
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const stat = lookAt(path)
    if (stat === undefined || stat.dev !== device || seen.has(stat.ino)) continue
    if (stat.nlink > 1 && !stat.isDirectory()) seen.add(stat.ino)
    bytes += stat.blocks * BLOCK
    if (stat.isDirectory()) for (const name of entriesOf(path)) pending.push(`${path}/${name}`)
  }
  return bytes
}
