/** Codes of values that the kernel or Docker’s rules would refuse, told before anything starts; for docs/errors.md. */
export const MEANINGS = {
  EBLKIO: 'A weight of `blkio_config` is out of range.',
  ECAPABILITY: 'There is no capability of that name.',
  ECGROUP: 'The name of a parent control group has characters or steps that such a name cannot have.',
  ECOMMAND: 'Neither the service nor its image says what to run.',
  ECPUS: 'A limit of CPU time is out of range, or two of them contradict each other.',
  EDEVICE: 'A device is not there, or is of another kind than the key needs.',
  EDEVICERULE: 'A line of `device_cgroup_rules` is not of the form `TYPE MAJOR:MINOR ACCESS`.',
  EFILE: 'A secret or config cannot be given to the service as its long form asks.',
  EHOSTNAME: 'A name of the host or domain has characters that such names cannot have, or is too long.',
  ELOGGING: 'An option of the log has a value that it cannot have.',
  EMEMORY: 'A limit of memory is out of range, or two of them contradict each other.',
  EMOUNT: 'Nothing can be mounted at this path: the kernel’s own file systems are there.',
  EPATH: 'A path in the container has to start with `/`.',
  EREFUSED: 'The kernel refused what a key asks for when the container was started.',
  ESECCOMP: 'A seccomp profile is not there, or cannot be used.',
  ESECURITYOPT: 'There is no security option of that name.',
  ESIGNAL: 'There is no signal of that name.',
  ESYSCTL: 'A kernel parameter belongs to the whole machine, so that a container cannot set it.',
  EULIMIT: 'There is no limit of that name, or its soft value is above the hard one.',
  EUSER: 'A user or group is not among those of the image.',
  'support/host': 'The kernel, the processors or the control groups of this machine cannot do what the key asks for.',
} as const satisfies Readonly<Record<string, string>>

export type SpecCode = keyof typeof MEANINGS
