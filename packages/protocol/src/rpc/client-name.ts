// What a client says of itself, made fit for logs and labels. Source: SECURITY, row 59.

const CHARS_MAX = 255
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g
const CUT_PAIR = /[\ud800-\udbff]$/

/** At most 255 characters; control characters become `\u000a`. */
export function printableName(text: string): string {
  const printable = text.slice(0, CHARS_MAX).replace(CONTROL, escaped)
  return printable.slice(0, CHARS_MAX).replace(CUT_PAIR, '')
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
