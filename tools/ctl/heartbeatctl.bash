# bash completion of heartbeatctl: commands, options, and the names of clients as the daemon lists them.

_heartbeatctl_clients() {
  local control=() typed=$1
  # A path that was given is asked, too; one that is quoted on the line is not understood here.
  local at
  for ((at = 1; at < COMP_CWORD; at++)); do
    [[ ${COMP_WORDS[at]} == --control ]] && control=(--control "${COMP_WORDS[at + 1]}")
  done
  # Only names that need no quotes, and not more than a person would read.
  heartbeatctl "${control[@]}" --timeout 1s clients --json --match "$typed*" --limit 200 2>/dev/null |
    sed -n 's/.*"name":"\([][A-Za-z0-9_.:@%+=-]*\)".*/\1/p'
}

_heartbeatctl() {
  local current=$2 previous=$3 line words
  # Names of clients have colons, at which bash would cut words.
  if declare -F _get_comp_words_by_ref >/dev/null; then
    local cur prev
    _get_comp_words_by_ref -n : cur prev
    current=$cur previous=$prev
  fi

  local commands="status clients why watch top kick log-level reload settings"
  local common="--control --json --timeout --help"
  local command="" at
  for ((at = 1; at < COMP_CWORD; at++)); do
    [[ " $commands " == *" ${COMP_WORDS[at]} "* && ${COMP_WORDS[at - 1]} != --* || ${COMP_WORDS[at - 1]} == --json &&
      " $commands " == *" ${COMP_WORDS[at]} "* ]] && command=${COMP_WORDS[at]} && break
  done
}
