#!/usr/bin/env bash
# Makes the Python environment, then hands over to main.py: everything else is Python.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
  cat <<'TEXT'
usage: ./run.sh COMMAND

  start             set up what is missing, start everything, wait until it is healthy
  stop              end everything cleanly; data stays
  restart           stop, then start
  status [--json]   each part: healthy or why not, pid, port, memory, uptime
  logs PART [-f]    a part's log
  reset [--yes]     stop and delete the platform's data

  test [TIER...]    lint, format, types and tests; with tiers (unit, spark, dags, integration, browser) only those
  bench [NAME]      measure
  lock              compile requirements.in into requirements.txt

  airflow ...       the airflow command with the platform's environment: ./run.sh airflow dags test batch_recompute
  python ...        python with the platform's environment:              ./run.sh python main.py kpis
  env               the same environment for a shell:                    eval "$(./run.sh env)"

Settings are in .env; .env.example lists them all.
TEXT
}

die() {
  echo "run.sh: $*" >&2
  exit 1
}

find_python() {
  local candidate found=""
  for candidate in ${PYTHON:-} python3.11 python3.12 python3.13 python3 python; do
    command -v "$candidate" >/dev/null || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
    found+=" $candidate ($("$candidate" --version 2>&1 | head -n 1))"
  done
  die "Python 3.11 or newer is needed; found:${found:- none}." \
    "Install it (Debian, Ubuntu: apt-get install python3.11 python3.11-venv; macOS: brew install python@3.11)" \
    "or name it: PYTHON=/path/to/python ./run.sh ..."
}

# Java is looked at before the long downloads; main.py checks it again, with the settings of .env.
check_java() {
  local java="${JAVA_HOME:+$JAVA_HOME/bin/}java" version mend
  mend="Install Java 17 or newer (Debian, Ubuntu: apt-get install openjdk-17-jre-headless; macOS: brew install \
openjdk@17) and put it on the PATH or set JAVA_HOME."
  [[ -f .env ]] && grep -q '^JAVA_HOME=.' .env && return
  command -v "$java" >/dev/null || die "Java was not found ($java). $mend"
  version="$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)"
  [[ "${version:-0}" -ge 17 ]] || die "$(command -v "$java") is Java ${version:-of an unknown version}. $mend"
}

# The environment is made anew only when what it is made from has changed.
set_up() {
  local stamp=.venv/.made-from wanted python uv
  wanted="$(cksum requirements.txt include/local/artifacts.lock.json spark_jobs/jvm/*/*.java)"
  if [[ -f "$stamp" && "$(cat "$stamp")" == "$wanted" ]]; then
    return
  fi
  python="$(find_python)"
  check_java
  if [[ ! -x .venv/bin/python ]]; then
    echo "Making .venv with $("$python" --version)" >&2
    "$python" -m venv .venv ||
      die "could not make .venv (Debian, Ubuntu: apt-get install python3-venv)"
  fi
  uv="$(command -v uv || true)"
  if [[ -z "$uv" ]]; then
    [[ -x .venv/bin/uv ]] || .venv/bin/python -m pip install --quiet --disable-pip-version-check uv
    uv=.venv/bin/uv
  fi
  echo "Installing requirements.txt" >&2
  "$uv" pip install --quiet --python .venv/bin/python --requirement requirements.txt
  .venv/bin/python main.py artifacts fetch
  echo "$wanted" >"$stamp"
}

main() {
  local command="${1:-}" environment
  shift || true
  case "$command" in
    start | stop | restart | status | logs | reset | test | env)
      set_up
      exec .venv/bin/python main.py "$command" "$@"
      ;;
    bench)
      set_up
      eval "$(.venv/bin/python main.py env)"
      exec python -m tests.performance "$@"
      ;;
    airflow | python)
      set_up
      local own=""
      # The scheduler would take the tasks of a test that it sees in its database.
      [[ "$command ${1:-} ${2:-}" == "airflow dags test" ]] && own="--dags-test $$"
      # shellcheck disable=SC2086
      environment="$(.venv/bin/python main.py env $own)"
      eval "$environment"
      exec "$command" "$@"
      ;;
    lock)
      set_up
      exec .venv/bin/python main.py lock
      ;;
    -h | --help | help)
      usage
      ;;
    *)
      [[ -z "$command" ]] || echo "run.sh: no command '$command'" >&2
      usage >&2
      exit 2
      ;;
  esac
}

main "$@"
