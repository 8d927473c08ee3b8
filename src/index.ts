/** The public API, and all that the command line may use of the engine. Nothing heavy is loaded before it is called. */
export { configHash } from './engine/config-hash.ts'
export { parseEndpoint } from './engine/copy-rules.ts'
export { createEngine } from './engine/engine.ts'
export { ChangeError, type ExitFacts, ExecError, type FailureFacts, ServiceError } from './engine/errors.ts'
export type { BlobEvent, Emit, EngineEvent, ImageEvent, LockHolder, Subject } from './engine/events.ts'
export type {
  Found,
  HistoryRow,
  ImageRow,
  ImageSummary,
  PullImage,
  SearchFilter,
  Transferred,
  TransferOptions,
  Verified,
  DiskUsage,
  PrunedProjects,
} from './engine/image-types.ts'
export type {
  Attached,
  AttachOptions,
  CopyOptions,
  CopyOutcome,
  ExecOptions,
  RunOptions,
  RunOutcome,
} from './engine/process-types.ts'
export type {
  ChangeOptions,
  Check,
  ContainerDetails,
  ContainerEvent,
  ContainerProcesses,
  ContainerRow,
  DownOptions,
  Engine,
  EngineOptions,
  ExitStatus,
  KillOptions,
  LogItem,
  LogOptions,
  LogSource,
  Outcome,
  ProcessRow,
  ProjectBoot,
  ProjectRow,
  ProjectTarget,
  RestartOptions,
  StartOptions,
  UpOptions,
  UsageSample,
  VolumeRow,
} from './engine/types.ts'
export { logTime } from './log/time.ts'
export type { HostFacts } from './native/host-facts.ts'
export type { OneOffRequest } from './plan/one-off.ts'
export { formatPlan, type Operation, type Plan, type PlanNode } from './plan/plan.ts'
export type { ProjectRecord, PublishedPort } from './state/records.ts'
