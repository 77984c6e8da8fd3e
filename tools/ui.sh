# shellcheck shell=bash disable=SC2154
# Owns what the set-up says: one line per step, progress of long ones, and in words what failed and what to do.

say() { printf '%s\n' "$*" >&2; }

# fail WHAT [ADVICE …]: says what failed and what to do, then ends.
fail() {
  say "viaduc: $1"
  local advice
  for advice in "${@:2}"; do say "  $advice"; done
  exit 1
}

# elapsed SECONDS: for people.
elapsed() {
  if [ "$1" -lt 60 ]; then printf '%d s' "$1"; else printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); fi
}

step_group='' # process group of the step that runs
beat_group='' # process group of its progress lines

# step NAME LABEL ADVICE COMMAND …: runs it with its output in a log; says how long it took, or what failed.
step() {
  local name=$1 label=$2 advice=$3 began=$SECONDS status=0
  local log=$cache/log/$name.log
  mkdir -p "$cache/log"
  printf '%s … ' "$label" >&2
  set -m # a process group of its own, so that an interruption ends all of it
  (
    set +m
    set -e
    "${@:4}"
  ) > "$log" 2>&1 < /dev/null &
  step_group=$!
  (
    set +m
    heartbeat "$label" "$log"
  ) &
  beat_group=$!
  set +m
  wait "$step_group" || status=$?
  step_group=''
  stop_heartbeat
  if [ "$status" -eq 0 ]; then
    step_line "$label" "$(elapsed $((SECONDS - began)))"
    say ''
    return
  fi
  step_line "$label" "failed after $(elapsed $((SECONDS - began)))"
  say ''
  say "  The last lines of $log:"
  tail -n 15 "$log" | sed 's/^/  | /' >&2
  fail "stopped at: $label" "$advice"
}

# step_line LABEL TEXT: how far the step is. A terminal keeps one line for it, a log gets a new one every time it beats.
step_line() {
  if [ -t 2 ]; then
    printf '\r\033[K%s … %s' "$1" "$2" >&2
  else
    printf '%s' "$2" >&2
  fi
}

# heartbeat LABEL LOG: every 15 seconds the time that has passed, and where the log counts [3/12], the count.
heartbeat() {
  local began=$SECONDS count
  while sleep 15; do
    count=$(tail -c 4096 "$2" | tr '\r' '\n' | grep -o '\[[0-9]*/[0-9]*\]' | tail -n 1 | tr -d '[]' || true)
    step_line "$1" "$(elapsed $((SECONDS - began)))${count:+, ${count/\// of }}"
    [ -t 2 ] || printf ' …\n  ' >&2
  done
}

stop_heartbeat() {
  [ -n "$beat_group" ] || return 0
  kill -- "-$beat_group" 2> /dev/null || true
  wait "$beat_group" 2> /dev/null || true
  beat_group=''
}

# interrupted SIGNAL STATUS: ends the running step with everything it started, then this script.
interrupted() {
  trap '' INT TERM HUP
  stop_heartbeat
  if [ -n "$step_group" ]; then
    kill -- "-$step_group" 2> /dev/null || true
    local tries=50
    while kill -0 -- "-$step_group" 2> /dev/null && [ $((tries -= 1)) -gt 0 ]; do sleep 0.1; done
    kill -KILL -- "-$step_group" 2> /dev/null || true
    wait "$step_group" 2> /dev/null || true
    say ''
  fi
  say "viaduc: interrupted (SIG$1). The same command goes on where this one stopped."
  exit "$2"
}

# lock NAME, unlock: one set-up at a time builds the same thing; the second waits and finds the first one's work.
lock() {
  mkdir -p "$cache/locks"
  exec {lock_fd}> "$cache/locks/$1.lock"
  flock -n "$lock_fd" && return
  say "Waiting for another viaduc that is setting up the same thing ($1)."
  until flock -n "$lock_fd"; do sleep 1; done
}

unlock() { exec {lock_fd}>&-; }
