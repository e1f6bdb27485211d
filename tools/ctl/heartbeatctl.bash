# bash completion of heartbeatctl: commands, options, and the names of clients as the daemon lists them.

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

  local commands="status clients closed why watch top kick brake log-level reload restart settings"
  local command="" control=() at
  for ((at = 1; at < ${#words[@]}; at++)); do
    case ${words[at]} in
      --control) control=(--control "${words[++at]}") ;;
      --timeout) ((++at)) ;;
      -*) ;;
      *) [[ -n $command ]] || command=${words[at]} ;;
    esac
  done

  local options="--control --json --timeout --help" offered=""
  case $previous in
    --control) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    --timeout | --limit | --since | --message) COMPREPLY=(); return ;;
    --status) offered="alive leave" ;;
    --reason) offered="silent away goodbye peer_closed reset bad_frame bad_heartbeat superseded kicked never_spoke frame_timeout limit shutdown unauthorized" ;;
    --sort) offered="silence margin connected name" ;;
    --event) offered="connected joined named takeover fight slow_beats fast_beats strike leave return close refused accept_paused stall suspend brake brake_end restarted" ;;
    --match | --client) offered=$(_heartbeatctl_clients "$current" "${control[@]}") ;;
    *)
      case $command in
        "") options+=" --version"; offered=$commands ;;
        closed) options+=" --since --reason --match --limit" ;;
        clients) options+=" --status --match --sort --limit" ;;
        watch) options+=" --since --client --event --snapshot --once" ;;
        top) options+=" --sort --match" ;;
        kick) options+=" --message" ;;
        brake) offered="confirm release" ;;
        log-level) offered="trace debug info warning error critical off" ;;
      esac
      if [[ $current == -* ]]; then
        offered=$options
      elif [[ $command == kick || $command == why ]]; then
        offered=$(_heartbeatctl_clients "$current" "${control[@]}")
      fi
      ;;
  esac

  mapfile -t COMPREPLY < <(compgen -W "$offered" -- "$current")
  # What bash takes for the part before the word that it completes is not said again.
  local before=${current%"$2"}
  COMPREPLY=("${COMPREPLY[@]#"$before"}")
}

complete -F _heartbeatctl heartbeatctl
