export const config: any = 0
