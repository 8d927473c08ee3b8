/** `devices` and `device_cgroup_rules`: the nodes of the host that a container gets, and what it may do with which. */
import type { Service, ServiceDevice } from '../compose/project.ts'
import type { TreePath } from '../errors.ts'
import type { OciDevice, OciDeviceRule } from '../oci/runtime-spec.ts'
import { isWithin, normalPath } from './path.ts'
import type { Report } from './report.ts'

type HostDevices = Readonly<Record<string, readonly OciDevice[]>>

/** A name of the Container Device Interface, which stands for more than a node. */
export const isCdiName = (source: string): boolean => /^[\w.-]+\/[\w.-]+=.+$/.test(source)

const ACCESS = /^[rwm]{1,3}$/
const RULE = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/

interface Place {
  readonly path: TreePath
  readonly subject: string
  readonly report: Report
}

const placeOf = ({ name }: Service, key: string, index: number, report: Report): Place => ({
  path: ['services', name, key, index],
  subject: `service ${name}`,
  report,
})

const number = (text: string | undefined): number | undefined =>
  text === undefined || text === '*' ? undefined : Number(text)

const rule = (text: string, { path, subject, report }: Place): OciDeviceRule[] => {
  const [, type, major, minor, access = ''] = RULE.exec(text) ?? []
  // v1 takes any rule of type `a` for all devices and all that can be done with them.
  const partial = type === 'a' && (major !== '*' || minor !== '*' || [...'rwm'].some((each) => !access.includes(each)))
  if (type === undefined || partial) {
    const message = `${subject}: device rule '${text}' is not like 'c 1:3 mr'${partial ? "; for all types it is 'a *:* rwm'" : ''}`
    report({ code: 'EDEVICERULE', path, message, hint: 'type b or c, MAJOR:MINOR with * for any, and some of rwm' })
    return []
  }
  const numbers = { major: number(major), minor: number(minor) }
  return [
    {
      allow: true,
      type: type as OciDeviceRule['type'],
      ...(numbers.major === undefined ? {} : { major: numbers.major }),
      ...(numbers.minor === undefined ? {} : { minor: numbers.minor }),
      access,
    },
  ]
}

const problemOf = ({ source, target, permissions }: ServiceDevice, nodes: readonly OciDevice[] | undefined) => {
  if (!ACCESS.test(permissions)) return `permissions '${permissions}' of ${source} are not some of rwm`
  if (!isWithin(normalPath(target), '/dev') || normalPath(target) === '/dev')
    return target === source ? `device ${source} does not lie below /dev` : `'${target}' does not lie below /dev`
  if (nodes === undefined) return `device ${source} is not there`
  return nodes.length === 0 ? `${source} is no device, and no directory of devices` : undefined
}

/** Nodes with their paths inside. */
const nodesOf = (device: ServiceDevice, devices: HostDevices, { path, subject, report }: Place): OciDevice[] => {
  if (isCdiName(device.source)) return []
  const nodes = devices[device.source]
  const problem = problemOf(device, nodes)
  if (problem !== undefined) {
    report({ code: 'EDEVICE', path, message: `${subject}: ${problem}` })
    return []
  }
  const target = normalPath(device.target)
  return (nodes ?? []).map((node) => ({ ...node, path: `${target}${node.path.slice(device.source.length)}` }))
}

export interface GivenDevice extends OciDevice {
  readonly access: string
}

/** Every node that `devices` gives, in order. */
export const givenDevices = (service: Service, devices: HostDevices, report: Report): GivenDevice[] =>
  service.devices.flatMap((device, index) =>
    nodesOf(device, devices, placeOf(service, 'devices', index, report)).map((node) => ({
      ...node,
      access: device.permissions,
    })),
  )

/** What is allowed beyond the base: a rule for each node, and the rules that the service writes itself. */
export const deviceRules = (service: Service, devices: HostDevices, report: Report): OciDeviceRule[] => [
  ...givenDevices(service, devices, report).flatMap(({ type, major, minor, access }): OciDeviceRule[] =>
    type === 'p' ? [] : [{ allow: true, type, major, minor, access }],
  ),
  ...service.deviceCgroupRules.flatMap((text, index) =>
    rule(text, placeOf(service, 'device_cgroup_rules', index, report)),
  ),
]
