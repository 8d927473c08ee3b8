/** Commands that run in a container after its start and before its stop. */
import type { Node } from './node.ts'
import { get, textOf } from './node.ts'
import type { Hook } from './project.ts'
import { flag, items, record, text, texts } from './tree-values.ts'

export const createHooks = (node: Node, key: 'post_start' | 'pre_stop'): readonly Hook[] =>
  items(node, key).map((hook) => ({
    command: texts(hook, 'command'),
    user: text(hook, 'user'),
    privileged: flag(hook, 'privileged') ?? false,
    workingDir: text(hook, 'working_dir'),
    environment: record(get(hook, 'environment'), (value) => textOf(value) ?? null),
  }))
