# SPDX-License-Identifier: MIT
# Completion of cgc in bash.  Options come from "cgc COMMAND --help", so none is missing here.

_cgc_options() { # COMMAND
  cgc "$1" --help 2>/dev/null | sed -n 's/^ *\(-., \)\{0,1\}\(--[a-z-]*=\{0,1\}\).*/\2/p'
}

_cgc_reply() { # WORDS
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current")
  [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
}

_cgc_value() { # OPTION: completes what follows its =
  case $1 in
    --format) _cgc_reply "text json sarif junit gitlab github folded pprof html" ;;
    --show) _cgc_reply "possible doubtful possible,doubtful" ;;
    --color) _cgc_reply "auto always never" ;;
    --fail-on) _cgc_reply "any direct growth none" ;;
    *) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
  esac
}

_cgc() {
  local current=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    _cgc_reply "run leaks report diff --help --version"
  elif [[ $previous == = && COMP_CWORD -gt 2 ]]; then
    _cgc_value "${COMP_WORDS[COMP_CWORD - 2]}"
  elif [[ $current == = ]]; then
    current='' && _cgc_value "$previous"
  elif [[ $current == -* ]]; then
    _cgc_reply "$(_cgc_options "$command")"
  elif [[ $command == run || $command == leaks ]]; then
    mapfile -t COMPREPLY < <(compgen -c -f -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
}

complete -o default -F _cgc cgc
