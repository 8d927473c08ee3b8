/** Text that somebody else wrote, made harmless for a terminal, a log viewer and an XML file. */

const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])/g
const CONTROLS = /[\x00-\x08\x0a-\x1f\x7f-\x9f\ufffe\uffff]/g

/** Half of a pair. */
const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** One line without escape sequences and control characters; unpaired surrogates become U+FFFD. */
export const plainText = (line: string): string =>
  line.replaceAll(ESCAPES, '').replaceAll(CONTROLS, '').replaceAll(LONE, '\ufffd')
