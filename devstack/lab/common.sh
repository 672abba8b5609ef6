# shellcheck shell=bash
# What every part of the lab uses: progress, steps that are done once, daemons known by pid files, waiting.

# Progress goes to the terminal even from within a step whose output is its log.
say() {
  printf '[%3d s] %s\n' "$((SECONDS))" "$*" >&3
}

# Says why nothing more can be done and ends this shell, which may be that of one step.
fail() {
  printf '[%3d s] FAILED: %s\n' "$((SECONDS))" "$*" >&3
  exit 1
}

# once NAME COMMAND...: runs a command whose effect lasts, and never again once it has succeeded.
once() {
  local name=$1 log="$LOGS/setup-$1.log"
  shift
  [ -e "$DONE/$name" ] && return 0
  "$@" >>"$log" 2>&1 || fail "$name: see $log"
  touch "$DONE/$name"
}

# abreast FUNCTION...: runs steps at the same time and fails when one has failed, after all have ended.
abreast() {
  local step pid failed='' pids=()
  for step in "$@"; do
    (set -e; "$step") &
    pids+=("$!")
  done
  for pid in "${pids[@]}"; do
    wait "$pid" || failed=yes
  done
  [ -z "$failed" ] || exit 1
}

# The time a process was started at, in ticks since boot: a pid alone may be somebody else's by now.
started_at() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  stat=${stat##*) }
  # A zombie runs no more.
  [ "${stat%% *}" != Z ] || return 1
  # shellcheck disable=SC2086 # fields are to be split
  set -- $stat
  echo "${20}"
}

# runs NAME: whether the daemon of that pid file is alive.
runs() {
  local pid ticks
  read -r pid ticks 2>/dev/null <"$RUN/$1.pid" || return 1
  [ "$(started_at "$pid")" = "$ticks" ]
}

# daemon NAME COMMAND...: starts it in a session of its own unless it runs already.
daemon() {
  local name=$1
  shift
  runs "$name" && return 0
  rotate "$LOGS/$name.log"
  setsid "$@" >>"$LOGS/$name.log" 2>&1 </dev/null 3>&- 8>&- &
  echo "$! $(started_at "$!")" >"$RUN/$name.pid"
}

# The log of the last run is kept beside that of this one.
rotate() {
  [ ! -e "$1" ] || mv "$1" "$1.1"
}

# Every daemon that has a pid file, the one started last first.
daemons() {
  local file
  find "$RUN" -name '*.pid' -printf '%T@ %f\n' 2>/dev/null | sort -rn | while read -r _ file; do
    echo "${file%.pid}"
  done
}

# end NAME: ends a daemon and all of its session; first politely.
end() {
  local name=$1 pid tries=0
  if runs "$name"; then
    read -r pid _ <"$RUN/$name.pid"
    kill -TERM -- "-$pid" 2>/dev/null || true
    while kill -0 -- "-$pid" 2>/dev/null && [ "$tries" -lt "${2:-100}" ]; do
      sleep 0.1
      tries=$((tries + 1))
    done
    kill -KILL -- "-$pid" 2>/dev/null || true
  fi
  rm -f "$RUN/$name.pid"
}

# wait_until NAME SECONDS COMMAND...: until a command succeeds; fails early when the daemon of that name has died.
wait_until() {
  local name=$1 until=$((SECONDS + $2))
  shift 2
  until "$@" >/dev/null 2>&1; do
    runs "$name" || fail "$name has ended: see $LOGS/$name.log"
    [ "$SECONDS" -lt "$until" ] || fail "$name does not answer: see $LOGS/$name.log"
    sleep 0.3
  done
}

# answers URL: whether an HTTP server there answers anything but that it cannot.
answers() {
  case $(curl --silent --output /dev/null --write-out '%{http_code}' --max-time 20 "$1") in
    000 | 5*) return 1 ;;
  esac
}

# python PROGRAM...: the interpreter of the system, whose packages are Debian's, whatever else is on PATH.
python() {
  /usr/bin/python3 "$@"
}
