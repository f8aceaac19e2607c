// What the last of the words typed so far may be. Pure. Enters: the commands there are, words, the last one unfinished.
// Leaves: a command's words, a value of some kind, or nothing that is known.
import type { Command, Option } from 'commander'

/** Of what kind a value is. `place`: as it stands in the help, `topic`, `n`, `name=value`. */
export type Value = { readonly place: string; readonly option: Option | undefined }

export type Typed = {
  /** The innermost command. */
  readonly command: Command
  /** Arguments of it that are there already. */
  readonly given: readonly string[]
  /** Values of global options. */
  readonly globals: { brokers?: string; profile?: string }
  /** What is typed of the last word; with `--option=` before it, that is `before`. */
  readonly last: string
  readonly before: string
  readonly wants: 'command' | 'option' | Value | undefined
}

export function typedWords(root: Command, words: readonly string[]): Typed {
  const walk = new Walk(root)
  for (const word of words.slice(0, -1)) walk.take(word)
  return walk.end(words.at(-1) ?? '')
}

class Walk {
  #command: Command
  #given: string[] = []
  readonly #globals: { brokers?: string; profile?: string } = {}
  /** The option whose value comes next. */
  #open: Option | undefined
  #onlyArguments = false

  constructor(root: Command) {
    this.#command = root
  }

  take(word: string): void {
    if (this.#open !== undefined) {
      this.#keep(this.#open, word)
      this.#open = undefined
    } else if (this.#onlyArguments || !word.startsWith('-') || word === '-') this.#enter(word)
    else if (word === '--') this.#onlyArguments = true
    else this.#takeOption(word)
  }

  #enter(word: string): void {
    const child = this.#command.commands.find((one) => one.name() === word)
    if (child === undefined) this.#given.push(word)
    else {
      this.#command = child
      this.#given = []
    }
  }

  /** `--long`, `--long=value`, `-s`, `-svalue`. */
  #takeOption(word: string): void {
    const [name = '', value] = word.startsWith('--') ? word.split(/=(.*)/s) : [word]
    const option = this.#find(name)
    if (option === undefined || !takesValue(option)) return
    if (value === undefined) this.#open = option
    else this.#keep(option, value)
  }

  #find(name: string): Option | undefined {
    return optionsOf(this.#command).find(({ short, long }) => name === short || name === long)
  }

  #keep(option: Option, value: string): void {
    if (option.long === '--brokers') this.#globals.brokers = value
    if (option.long === '--profile') this.#globals.profile = value
  }

  end(word: string): Typed {
    const [name = '', value] = word.startsWith('--') ? word.split(/=(.*)/s) : [word]
    const typed = { command: this.#command, given: this.#given, globals: this.#globals }
    const option = this.#open ?? (value === undefined ? undefined : this.#find(name))
    if (option !== undefined && (this.#open || takesValue(option))) {
      const isNext = this.#open !== undefined
      const rest = { last: isNext ? word : (value ?? ''), before: isNext ? '' : `${name}=` }
      return { ...typed, ...rest, wants: { place: placeOf(option), option } }
    }
    return { ...typed, last: word, before: '', wants: this.#wants(word) }
  }

  #wants(word: string): Typed['wants'] {
    if (word.startsWith('-') && !this.#onlyArguments) return 'option'
    if (this.#command.commands.length > 0) return 'command'
    const places = this.#command.registeredArguments
    const last = places.at(-1)
    const place = places[this.#given.length] ?? (last?.variadic ? last : undefined)
    return place === undefined ? undefined : { place: place.name(), option: undefined }
  }
}

/** Its own, and those of the commands above. */
export function optionsOf(command: Command): Option[] {
  const above = command.parent === null ? [] : optionsOf(command.parent)
  return [...command.options, ...above].filter(({ hidden }) => !hidden)
}

function takesValue({ required, optional }: Option): boolean {
  return required || optional
}

/** `-b, --brokers <H:P,…>`: what stands between the brackets. */
function placeOf({ flags }: Option): string {
  return /[<[](.+)[\]>]/.exec(flags)?.[1] ?? ''
}
