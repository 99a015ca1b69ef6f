#!/usr/bin/env bash
# Sets up Facet in this folder and runs it.
#
#   ./setup_macos.sh         set up Facet, then open the window; without a display, let the starter model answer a
#                            question in the terminal
#   ./setup_macos.sh test    set up Facet with the development tools, then run all checks and tests
#
# Everything is installed to .venv in this folder. If nothing changed since the last run, nothing is installed.
# FACET_PYTHON selects a Python interpreter; by default, the script looks for a suitable one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly needed_kib=$((3 * 1024 * 1024))
readonly log=.venv/setup.log
readonly debian_packages=(
  g++ libopenblas0-pthread fonts-inter fonts-dejavu-core xvfb
  libglib2.0-0 libegl1 libgl1 libdbus-1-3 libfontconfig1 libxkbcommon0 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4
  libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0
)

report() { printf '%s\n' "$*"; }
fail() {
  printf 'Setup failed: %s\n' "$*" >&2
  exit 1
}

check_machine() {
  case "$(uname -s)" in
    Darwin)
      # Under Rosetta, `uname -m` prints x86_64 even on Apple silicon.
      [ "$(sysctl -n hw.optional.arm64 2>/dev/null || echo 0)" = 1 ] ||
        fail "this Mac has an Intel processor. Facet needs Apple silicon (M1 or later)."
      local version
      version=$(sw_vers -productVersion)
      [ "${version%%.*}" -ge 14 ] || fail "this Mac has macOS $version. Update to macOS 14 or later and try again."
      ;;
    Linux)
      case "$(uname -m)" in
        x86_64 | aarch64) ;;
        *) fail "this Linux computer has an unsupported processor ($(uname -m)). Facet needs x86_64 or aarch64." ;;
      esac
      ;;
    *) fail "$(uname -s) is not supported. Facet needs macOS 14 or later, or Linux for development." ;;
  esac
}

check_space() {
  local free_kib
  free_kib=$(df -Pk . | awk 'NR == 2 { print $4 }')
  [ -e "$log" ] || [ "$free_kib" -ge "$needed_kib" ] ||
    fail "not enough disk space: $((free_kib / 1024)) MiB free, about $((needed_kib / 1024)) MiB needed. Free up some space and try again."
}

# On Linux, Qt, MLX and the tests need system libraries and a compiler. On macOS, the wheels are complete.
install_system_libraries() {
  command -v dpkg-query >/dev/null || return 0
  local missing=() package
  for package in "${debian_packages[@]}" "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || fail "system libraries are missing. Install them with: sudo apt-get install ${missing[*]}"
  report "Installing system libraries: ${missing[*]}"
  local output
  output=$({ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } 2>&1) ||
    fail "apt-get couldn't install ${missing[*]}: $(tail -n 3 <<<"$output")"
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
      fail "FACET_PYTHON ($FACET_PYTHON) is not a working Python 3.11 to 3.14 for this computer."
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

# macOS has no recent Python, but the one in Apple's command line tools can install uv, which downloads one.
fetch_python() {
  report "Python 3.11 or later not found. Installing it."
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
  find_python || fail "couldn't find or install Python 3.11 or later. On a Mac, run xcode-select --install and try again; or set FACET_PYTHON to a Python interpreter."
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
    report "Creating .venv with $("$python" --version)"
    rm -rf .venv
    "$python" -m venv .venv || fail "$python couldn't create a virtual environment. Check that this folder is writable."
  fi
  report "Installing dependencies from $lock (about 700 MB the first time)"
  rm -f .venv/stamp
  install_packages "$lock" 2>&1 | tee "$log" | awk '/^ *Downloading/ { print "  " $2, $3, $4; fflush() }' ||
    fail_installation
  printf '%s' "$stamp" >.venv/stamp
}

# The lock file is complete, so pip resolves no dependencies and installs only packages with the locked hashes.
install_packages() {
  .venv/bin/python -m pip install --disable-pip-version-check --no-deps --require-hashes -r "$1" &&
    .venv/bin/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
}

fail_installation() {
  if grep -q 'No space left' "$log"; then
    fail "the disk is full. Free up about $((needed_kib / 1024)) MiB and try again."
  elif grep -qE 'do not match the hashes|THESE PACKAGES DO NOT MATCH' "$log"; then
    fail "a downloaded package does not match its locked hash and was not installed. See $log."
  elif grep -qE 'Connection|NewConnectionError|Temporary failure|Network is unreachable|timed out|ProxyError|Max retries' "$log"; then
    fail "couldn't download the dependencies. Check your internet connection and run this script again to continue."
  fi
  fail "pip couldn't install the dependencies: $(grep -E '^ERROR' "$log" | head -n 2) See $log for details."
}

has_display() { [ "$(uname -s)" = Darwin ] || [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; }

run_facet() {
  .venv/bin/facet prepare
  if has_display; then
    exec .venv/bin/facet
  fi
  report "No display found. The starter model answers in the terminal instead."
  exec .venv/bin/facet chat --prompt "What is the capital of France, and what is it known for?" --max-tokens 160 --temperature 0
}

run_checks() {
  export PATH="$PWD/.venv/bin:$PATH"
  # Otherwise, every child process of the tests compiles Facet's modules again.
  unset PYTHONDONTWRITEBYTECODE
  # The processes of the tests fill all cores; further threads for matrices only wait for each other.
  export OPENBLAS_NUM_THREADS=1
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
    *) fail "unknown argument '$1'. Use ./setup_macos.sh or ./setup_macos.sh test." ;;
  esac
  check_machine
  install_system_libraries
  make_environment "$lock"
  "$action"
}

main "$@"
