import type { VolumeRow } from '../../index.ts'
import { defineCommand } from '../command.ts'
import { flag, text } from '../grammar.ts'
import { formatListing } from '../render/template.ts'
import { openReader } from '../runtime.ts'
import { findTarget, requireServices } from '../target.ts'

const COLUMNS = { Driver: 'DRIVER', Name: 'VOLUME NAME' }

/** Fields of docker; `N/A` is what it says where the engine does not know either. */
const viewOf = (project: string, { name, key, labels, mountpoint }: VolumeRow): Record<string, unknown> => ({
  ...{ Availability: 'N/A', Driver: 'local', Group: 'N/A' },
  Labels: Object.entries({
    ...labels,
    'com.docker.compose.project': project,
    'com.docker.compose.volume': key,
  })
    .map(([label, value]) => `${label}=${value}`)
    .join(','),
  ...{ Links: 'N/A', Mountpoint: mountpoint, Name: name, Scope: 'local', Size: 'N/A', Status: 'N/A' },
})

export const volumes = defineCommand({
  usage: '[SERVICE…]',
  summary: 'List the named volumes of a project',
  options: {
    format: text('FORMAT', 'table (default), json (one object per line), or a template such as "{{.Name}}"'),
    quiet: flag('Show names only', 'q'),
  },
  run: async (context, { values, positionals: services }) => {
    const engine = openReader(context)
    const target = await findTarget(context, engine)
    if (services.length > 0) await requireServices(context, { target, rows: await engine.ps(target.name), services })
    const rows = (await engine.volumes(target.name)).filter(
      (row) => services.length === 0 || row.services.some((service) => services.includes(service)),
    )
    const format = values.quiet ? '{{.Name}}' : (values.format ?? 'table')
    context.stdout.write(formatListing({ format, rows: rows.map((row) => viewOf(target.name, row)), columns: COLUMNS }))
    return 0
  },
})
