import type { Service } from '../compose/project.ts'

export const configHash = (service: Service): string => service.name
