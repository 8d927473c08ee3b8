/** Words that count as a boolean where the model wants one, in lower case (compose-go, loader/interpolate.go). */
export const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  false: false,
  y: true,
  yes: true,
  on: true,
  n: false,
  no: false,
  off: false,
}
