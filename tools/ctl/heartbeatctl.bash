# bash completion of heartbeatctl.  What can be given comes from the program itself (`--completion`: a line for
# each command), and the names of clients from the daemon.

# The names that begin so; only those that need no quotes, and no more than a person would read.
_heartbeatctl_clients() { # TYPED [--control PATH]
  local typed=$1
  shift
  heartbeatctl "$@" --timeout 1s clients --json --match "$typed*" --limit 200 2>/dev/null |
    sed -n 's/.*"name":"\([][[:alnum:]_.:@%+=-]*\)".*/\1/p'
}

_heartbeatctl() {
  # What is typed, cut at spaces only: bash cuts at the colons of names, too.
  local typed=${COMP_LINE:0:COMP_POINT}
  local words
  read -ra words <<<"$typed"
  local current=""
  if [[ $typed != *[[:space:]] ]]; then
    current=${words[-1]}
    unset 'words[-1]'
  fi
  local previous=${words[-1]}

  local -A commands=()
  local name parameters
  while read -r name parameters; do commands[$name]=$parameters; done < <(heartbeatctl --completion 2>/dev/null)

  local command="" control=() at
  for ((at = 1; at < ${#words[@]}; at++)); do
    case ${words[at]} in
      --control) control=(--control "${words[++at]}") ;;
      --timeout) ((++at)) ;;
      -*) ;;
      *) [[ -n $command ]] || command=${words[at]} ;;
    esac
  done

  # What is given by its place, and the options; or the values of the option before.
  local options="--control --json --timeout --help" values="" parameter
  for parameter in ${command:+${commands[$command]}}; do
    case $parameter in
      --*) options+=" ${parameter%%=*}" ;;
      *) values=$parameter ;;
    esac
  done
  for parameter in ${command:+${commands[$command]}}; do
    [[ $parameter != "$previous="* ]] || values=${parameter#*=} options=""
  done

  local offered
  case $previous in
    --control) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    --timeout) COMPREPLY=(); return ;;
  esac
  if [[ -z $command ]]; then
    offered=${!commands[*]}
    [[ $current != -* ]] || offered="$options --version"
  elif [[ $current == -* && -n $options ]]; then
    offered=$options
  elif [[ $values == @clients ]]; then
    offered=$(_heartbeatctl_clients "$current" "${control[@]}")
  else
    offered=${values//,/ }
  fi

  mapfile -t COMPREPLY < <(compgen -W "$offered" -- "$current")
  # What bash takes for the part before the word that it completes is not said again.
  local before=${current%"$2"}
  COMPREPLY=("${COMPREPLY[@]#"$before"}")
}

complete -F _heartbeatctl heartbeatctl
