#!/usr/bin/env bash
# Makes this machine ready: `prepare.sh venv` an empty .venv with Python 3.11 or later; `prepare.sh office` what the
# tests need beside Python, `prepare.sh windows` what those of the Windows bundle need. As root on Debian or Ubuntu it
# installs what is missing; elsewhere it says what is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

install() {
  echo "Installing $* …"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq </dev/null
  apt-get install -y -qq --no-install-recommends "$@" </dev/null >/dev/null
}

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
  for name in "${PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$name" >/dev/null && new_enough "$name"; then echo "$name"; return; fi
  done
}

venv() {
  if [ -x .venv/bin/python ] && .venv/bin/python -m pip --version >/dev/null 2>&1; then return; fi
  python=$(find_python)
  if [ -z "$python" ] && can_install; then install python3 python3-venv; python=$(find_python); fi
  if [ -z "$python" ]; then echo "xlfunnel needs Python 3.11 or later; none was found." >&2; exit 1; fi
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    if ! can_install; then echo "$python cannot make environments; install its venv module first." >&2; exit 1; fi
    install python3-venv
  fi
  "$python" -m venv .venv
}

office() {
  missing=()
  command -v soffice >/dev/null || missing+=(libreoffice-calc)
  command -v pdftoppm >/dev/null || missing+=(poppler-utils)
  command -v java >/dev/null || missing+=(default-jre-headless)
  /usr/bin/python3 -c 'import uno' 2>/dev/null || missing+=(python3-uno)
  { command -v fc-list >/dev/null && fc-list : family | grep -q 'Noto Sans CJK'; } || missing+=(fontconfig fonts-noto-cjk)
  provide
}

# Windows' programs: Wine, a compiler for what Wine's libraries lack, and the sources of a Chinese locale.
windows() {
  missing=()
  [ -x /usr/lib/wine/wine64 ] || missing+=(wine64)
  command -v x86_64-w64-mingw32-gcc >/dev/null || missing+=(gcc-mingw-w64-x86-64-win32)
  [ -e /usr/share/i18n/locales/zh_CN ] || missing+=(locales)
  provide
}

provide() {
  [ "${#missing[@]}" = 0 ] && return
  if can_install; then install "${missing[@]}"; return; fi
  echo "Not on this machine: ${missing[*]} (Debian's names). The tests that need them are skipped, each with its reason."
  if [ -n "${CI:-}" ]; then echo "In CI nothing is skipped." >&2; exit 1; fi
}

case "${1:-}" in
  venv) venv ;;
  office) office ;;
  windows) windows ;;
  *) echo "usage: prepare.sh venv|office|windows" >&2; exit 2 ;;
esac
