#!/usr/bin/env bash
# Sets Facet up in this folder and runs it.
#
#   ./setup_macos.sh         set everything up, then open the window; without a display, let the starter model
#                            answer a question in the terminal
#   ./setup_macos.sh test    set everything up with the development tools, then run every check and test
#
# Everything goes into .venv beside this script. A second run installs only what has changed since the first.
# FACET_PYTHON names the Python to use; without it the newest suitable one is looked for.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly needed_kib=$((3 * 1024 * 1024))
readonly log=.venv/setup.log
readonly debian_packages=(
  g++ libopenblas0-pthread fonts-inter fonts-dejavu-core xvfb
  libglib2.0-0 libegl1 libgl1 libdbus-1-3 libfontconfig1 libxkbcommon0 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4
  libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0
)

say() { printf '%s\n' "$*"; }
stop() {
  printf 'Facet could not be set up: %s\n' "$*" >&2
  exit 1
}

check_machine() {
  case "$(uname -s)" in
    Darwin)
      # Under Rosetta `uname -m` tells x86_64 even on Apple Silicon.
      [ "$(sysctl -n hw.optional.arm64 2>/dev/null || echo 0)" = 1 ] ||
        stop "this Mac has an Intel processor, and MLX needs Apple Silicon (M1 or later)."
      local version
      version=$(sw_vers -productVersion)
      [ "${version%%.*}" -ge 14 ] || stop "this Mac runs macOS $version. Update it to macOS 14 or later, then try again."
      ;;
    Linux)
      case "$(uname -m)" in
        x86_64 | aarch64) ;;
        *) stop "this Linux machine is $(uname -m); x86_64 or aarch64 is needed." ;;
      esac
      ;;
    *) stop "$(uname -s) is not supported. Facet runs on macOS 14 or later; Linux serves for development." ;;
  esac
}

check_space() {
  local free_kib
  free_kib=$(df -Pk . | awk 'NR == 2 { print $4 }')
  [ -e "$log" ] || [ "$free_kib" -ge "$needed_kib" ] ||
    stop "only $((free_kib / 1024)) MiB are free on this disk and about $((needed_kib / 1024)) are needed. Free some space, then try again."
}

# Qt, OpenBLAS and a compiler are system libraries on Linux. On macOS all come with the wheels.
install_system_libraries() {
  command -v dpkg-query >/dev/null || return 0
  local missing=() package
  for package in "${debian_packages[@]}" "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || stop "system libraries are missing. Run: sudo apt-get install ${missing[*]}"
  say "Installing system libraries: ${missing[*]}"
  local output
  output=$({ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } 2>&1) ||
    stop "apt-get could not install ${missing[*]}. It said: $(tail -n 3 <<<"$output")"
}

is_suitable_python() {
  local machine_check=True
  [ "$(uname -s)" = Darwin ] && machine_check="platform.machine() == 'arm64'"
  "$1" -c "import platform, sys, venv, ensurepip; sys.exit(not ((3, 11) <= sys.version_info < (3, 15) and $machine_check))" 2>/dev/null
}

find_python() {
  local candidate
  if [ -n "${FACET_PYTHON:-}" ]; then
    is_suitable_python "$FACET_PYTHON" ||
      stop "FACET_PYTHON is $FACET_PYTHON, which is no working Python 3.11 to 3.14 for this machine."
    python=$FACET_PYTHON
    return 0
  fi
  for candidate in python3.{13,12,11,14} python3 /opt/homebrew/bin/python3.{13,12,11,14}; do
    if is_suitable_python "$candidate"; then
      python=$candidate
      return 0
    fi
  done
  return 1
}

# A Mac has no recent Python of its own; the one of Apple's command line tools is enough to fetch one with uv.
fetch_python() {
  say "No Python 3.11 or later was found; fetching one."
  if [ "$(uname -s)" = Linux ] && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    install_system_libraries python3 python3-venv
  elif command -v brew >/dev/null; then
    brew install --quiet python@3.12
  elif xcode-select -p >/dev/null 2>&1 || [ "$(uname -s)" = Linux ]; then
    local fetcher
    fetcher=$(mktemp -d)
    python3 -m venv "$fetcher" && "$fetcher/bin/python" -m pip install --quiet uv &&
      "$fetcher/bin/uv" python install --quiet 3.12 && python=$("$fetcher/bin/uv" python find 3.12)
    rm -rf "$fetcher"
    is_suitable_python "${python:-}" && return 0
  fi
  find_python || stop "no Python 3.11 or later could be found or fetched. Install one (on a Mac: xcode-select --install, then run this script again), or name one in FACET_PYTHON."
}

make_environment() {
  local lock=$1 stamp python=""
  stamp=$(cat "$lock" pyproject.toml | cksum)
  if [ -x .venv/bin/facet ] && [ "$(cat .venv/stamp 2>/dev/null)" = "$stamp" ] && .venv/bin/python -c '' 2>/dev/null; then
    return 0
  fi
  check_space
  if ! .venv/bin/python -c '' 2>/dev/null; then
    find_python || fetch_python
    say "Making .venv with $("$python" --version)"
    rm -rf .venv
    "$python" -m venv .venv || stop "$python could not make a virtual environment here. Is this folder writable?"
  fi
  say "Installing what $lock names (about 700 MB the first time)"
  rm -f .venv/stamp
  install_packages "$lock" 2>&1 | tee "$log" | awk '/^ *Downloading/ { print "  " $2, $3, $4; fflush() }' ||
    explain_failed_installation
  printf '%s' "$stamp" >.venv/stamp
}

# The lock is complete, so nothing is resolved: what it names, with these hashes, and nothing else.
install_packages() {
  .venv/bin/python -m pip install --disable-pip-version-check --no-deps --require-hashes -r "$1" &&
    .venv/bin/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
}

explain_failed_installation() {
  if grep -q 'No space left' "$log"; then
    stop "the disk is full. About $((needed_kib / 1024)) MiB are needed; free some space, then run this script again."
  elif grep -qE 'do not match the hashes|THESE PACKAGES DO NOT MATCH' "$log"; then
    stop "a downloaded package is not the one that was locked. It was not installed; $log says which."
  elif grep -qE 'Connection|NewConnectionError|Temporary failure|Network is unreachable|timed out|ProxyError|Max retries' "$log"; then
    stop "the packages could not be downloaded. Check the network connection, then run this script again; it goes on where it stopped."
  fi
  stop "pip could not install the packages. It said: $(grep -E '^ERROR' "$log" | head -n 2) The whole log is in $log."
}

has_display() { [ "$(uname -s)" = Darwin ] || [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; }

run_facet() {
  .venv/bin/facet prepare
  if has_display; then
    exec .venv/bin/facet
  fi
  say "There is no display here, so the window cannot open; the starter model answers in the terminal instead."
  exec .venv/bin/facet chat --prompt "What is the capital of France, and what is it known for?" --max-tokens 160 --temperature 0
}

run_checks() {
  export PATH="$PWD/.venv/bin:$PATH"
  ruff format --check .
  ruff check .
  shellcheck setup_macos.sh .ci/run
  lint-imports
  mypy
  pytest -n auto --dist worksteal
}

main() {
  local lock action
  case "${1:-}" in
    "") lock=requirements.lock action=run_facet ;;
    test) lock=requirements-dev.lock action=run_checks ;;
    *) stop "there is no '$1'. Use ./setup_macos.sh, or ./setup_macos.sh test." ;;
  esac
  check_machine
  install_system_libraries
  make_environment "$lock"
  "$action"
}

main "$@"
