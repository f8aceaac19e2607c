// Text of others on a terminal. Enters: names as somebody chose them. Leaves: text that moves no cursor, in lines that fit. Pure.

/** What would steer the terminal, or break the line, is shown instead. */
export function plain(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (char) => `\\x${(char.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`,
  )
}

/** Lines of at most `width`, broken at spaces; a word that is longer is broken anywhere. */
export function wrap(text: string, room: number): string[] {
  const width = Math.max(1, room)
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ').flatMap((one) => pieces(one, width))) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

function pieces(word: string, width: number): string[] {
  if (word.length <= width) return [word]
  return [word.slice(0, width), ...pieces(word.slice(width), width)]
}

/** Both ends tell more of a name than its middle. */
export function cut(text: string, width: number): string {
  if (text.length <= width) return text
  const head = Math.ceil((width - 1) / 2)
  return `${text.slice(0, head)}…${text.slice(text.length - (width - 1 - head))}`
}
