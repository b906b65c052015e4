/**
 * What the completion script for bash does with its tables, which completion.ts makes before it: `__forebay_enter PATH`
 * sets what may follow a command, `__forebay_choices PATH OPTION` sets `words`. In bash 3.2, which has no compopt, file
 * names are completed wherever nothing else is known.
 */
export const bashFunctions = `# Of the words $1 those that begin with $2, each behind $3.
__forebay_offer() {
  local word
  for word in $1; do
    if [[ $word == "$2"* ]]; then COMPREPLY+=("$3$word"); fi
  done
}

# The directories that begin with $1, behind $2; the shell writes them so that they can be read again.
__forebay_directories() {
  local name begin=\${1#[\\"\\']}
  compopt -o filenames 2>/dev/null || return 0
  # Where a name was divided at a colon, the shell would put the whole one behind its begin.
  if [[ $word != *"$1" ]]; then return 0; fi
  while IFS= read -r name; do
    COMPREPLY+=("$2$name")
  done < <(compgen -d -- "\${begin//\\\\/}")
}

# Paths of the kind $1 that begin with $2, behind $3. Files are left to the shell.
__forebay_paths() {
  case $1 in
    files) compopt -o default 2>/dev/null ;;
    directories) __forebay_directories "$2" "$3" ;;
  esac
  return 0
}

# The value $2 of the option $1, behind $3.
__forebay_value() {
  local words
  __forebay_choices "$path" "$1"
  if [[ -n $words ]]; then
    local before=''
    if [[ $2 == *,* ]]; then before=\${2%,*},; fi
    __forebay_offer "$words" "\${2##*,}" "$3$before"
  elif [[ " $files " == *" $1 "* ]]; then
    __forebay_paths files "$2" "$3"
  elif [[ " $directories " == *" $1 "* ]]; then
    __forebay_paths directories "$2" "$3"
  fi
}

# Goes past the whole word $1.
__forebay_pass() {
  if [[ -n $option ]]; then
    option=''
  elif [[ $1 == -- ]]; then
    ended=yes
  elif [[ -z $ended && $1 == -* ]]; then
    if [[ " $valued " == *" $1 "* ]]; then option=$1; fi
  elif [[ " $commands " == *" $1 "* ]]; then
    __forebay_enter "$path $1"
  fi
}

_forebay() {
  local IFS=$' \\t\\n'
  local path commands options valued files directories takes
  local option='' ended='' whole='' words='' word='' at
  COMPREPLY=()
  __forebay_enter forebay
  # Bash takes = and : for words of their own: they are put together again.
  for ((at = 1; at <= COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    if [[ at -gt 1 && -n $word && ( $word == [=:]* || \${COMP_WORDS[at - 1]} == [=:]* ) ]]; then
      whole+=$word
    else
      if [[ at -gt 1 ]]; then __forebay_pass "$whole"; fi
      whole=$word
    fi
  done
  if [[ -n $option ]]; then
    __forebay_value "$option" "$whole" ''
  elif [[ -z $ended && $whole == --*=* ]]; then
    # What stands before the sign is to be repeated only where the shell did not divide there.
    local before=''
    if [[ $word == "$whole" ]]; then before=\${whole%%=*}=; fi
    __forebay_value "\${whole%%=*}" "\${whole#*=}" "$before"
  elif [[ -z $ended && $whole == -* ]]; then
    __forebay_offer "$options" "$whole" ''
  else
    __forebay_choices "$path" ''
    __forebay_offer "$commands $words" "$whole" ''
    __forebay_paths "$takes" "$whole" ''
  fi
}

if type compopt >/dev/null 2>&1; then
  complete -F _forebay forebay
else
  complete -o default -F _forebay forebay
fi`;
