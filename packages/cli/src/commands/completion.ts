// minikafka completion bash|zsh|fish: a script for the shell, which asks `minikafka __complete` at every Tab.
import type { Env } from '@minikafka/client'
import { UsageError } from '../usage-error.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof SHELLS)[number]

export async function completion({ program }: Env, shell: string): Promise<void> {
  const known = SHELLS.find((one) => one === shell)
  if (known === undefined)
    throw new UsageError(`completion ${shell}: expected one of ${SHELLS.join(', ')}`)
  await program.stdout.write(SCRIPTS[known])
}

/** The line is split here: bash itself would split at : and =, too, and replaces only what comes after those. */
const BASH = String.raw`# Completion of minikafka for bash.
_minikafka() {
  local line=${'$'}{COMP_LINE:0:COMP_POINT} words out cur text about first
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  words=("${'$'}{words[@]//[\"\']/}")
  cur=${'$'}{words[${'$'}{#words[@]}-1]}
  COMPREPLY=()
  out=$(minikafka __complete -- "${'$'}{words[@]:1}" 2>/dev/null) || return
  if [[ $out == :files ]]; then
    compopt -o default
    return
  fi
  local cut=${'$'}{cur%"${'$'}{cur##*[:=]}"}
  while IFS=$'\t' read -r text about; do
    [[ -n $text ]] || continue
    COMPREPLY+=("${'$'}{text#"$cut"}")
    first=${'$'}{first:-$text}
  done <<<"$out"
  [[ ${'$'}{#COMPREPLY[@]} == 1 && $first == *[:=] ]] && compopt -o nospace
  return 0
}
complete -F _minikafka minikafka
`

const ZSH = String.raw`#compdef minikafka
# Completion of minikafka for zsh.
_minikafka() {
  local -a lines described open
  local line text about
  lines=("${'$'}{(@f)$(minikafka __complete -- "${'$'}{(@Q)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}")
  if [[ $lines[1] == :files ]]; then
    _files
    return
  fi
  for line in $lines; do
    [[ -n $line ]] || continue
    text=${'$'}{line%%$'\t'*}
    about=${'$'}{${'$'}{line#$text}#$'\t'}
    if [[ $text == *[:=] ]]; then
      open+=($text)
    else
      described+=("${'$'}{text//:/\\:}:$about")
    fi
  done
  (( $#open )) && compadd -S '' -- $open
  (( $#described )) && _describe -t words minikafka described
}
if [[ $funcstack[1] == _minikafka ]]; then
  _minikafka "$@"
else
  compdef _minikafka minikafka
fi
`

const FISH = String.raw`# Completion of minikafka for fish.
function __minikafka_words
    set -l before (commandline -opc)
    while string match -q '*=*' -- $before[1]
        set -e before[1]
    end
    set -l current (string replace -r '^["\']' '' -- (commandline -ct))
    set -l lines (minikafka __complete -- $before[2..-1] "$current" 2>/dev/null)
    if test "$lines[1]" = ':files'
        __fish_complete_path "$current"
    else
        printf '%s\n' $lines
    end
end
complete -c minikafka -f -a '(__minikafka_words)'
`

const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH }
