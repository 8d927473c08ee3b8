/** Port numbers and ranges: `80`, `8000-8010`. */

export interface PortRange {
  readonly first: number
  readonly last: number
}

const parsePort = (text: string): number | undefined =>
  /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined

/** undefined where the text is no port or range, or the range runs backwards. Port 0 is allowed (any port). */
export const parsePortRange = (text: string): PortRange | undefined => {
  const dash = text.indexOf('-')
  const first = parsePort(dash < 0 ? text : text.slice(0, dash))
  const last = dash < 0 ? first : parsePort(text.slice(dash + 1))
  return first === undefined || last === undefined || last < first ? undefined : { first, last }
}

export const formatPortRange = (range: PortRange): string =>
  range.first === range.last ? `${range.first}` : `${range.first}-${range.last}`
