/** Limits of what files may bring to a project by naming others: a few lines can include and extend without end. */
import type { TreePath } from '../errors.ts'
import type { Node } from './node.ts'
import type { Origin } from './project.ts'
import type { Report } from './report.ts'

/** Includes that are read; those that were read before do not count. */
const FILES = 1_000
/** Values that come by `extends` and `include`, shared ones counted as often as they come. */
const VALUES = 500_000

/** Who names a file or a service. */
export interface Mention {
  readonly path: TreePath
  readonly origin: Origin
}

export class Growth {
  readonly #report: Report
  readonly #sizes = new WeakMap<Node, number>()
  #files = 0
  #values = 0
  /** More is of no use: the project ends here. */
  exceeded = false

  constructor(report: Report) {
    this.#report = report
  }

  admitFile(mention: Mention): boolean {
    return ++this.#files <= FILES || this.#refuse(`More than ${FILES} files are included`, mention)
  }

  /** Before a tree is put below another one; false: too much, which is reported once. */
  admit(tree: Node, mention: Mention): boolean {
    this.#values += this.#sizeOf(tree)
    return this.#values <= VALUES || this.#refuse(`extends and include come to more than ${VALUES} values`, mention)
  }

  #refuse(message: string, { path, origin }: Mention): false {
    if (!this.exceeded) this.#report.add({ code: 'expansion-limit', path, message, origin })
    this.exceeded = true
    return false
  }

  #sizeOf(node: Node): number {
    if (node.kind === 'scalar' || node.kind === 'poisoned') return 1
    const known = this.#sizes.get(node)
    if (known !== undefined) return known
    const children = node.kind === 'map' ? [...node.entries.values()].map(({ value }) => value) : node.items
    const size = children.reduce((sum, child) => sum + this.#sizeOf(child), 1)
    this.#sizes.set(node, size)
    return size
  }
}
