# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# common.sh: what the scripts share; bash sources it. It sets `top`, the top of the tree, and `program`, the name that
# messages begin with. Packages come from the list in scripts/packages.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
program=$(basename "$0")

# say TEXT…: one line about what is being done.
say ()
{
  printf '%s: %s\n' "$program" "$*"
}

# die TEXT…: one sentence why it failed, then the end.
die ()
{
  printf '%s: %s\n' "$program" "$*" >&2
  exit 1
}

# packages_of GROUP…: the packages of these groups, each once.
packages_of ()
{
  awk -v wanted="$*" '
    BEGIN { n = split (wanted, groups, " ") }
    /^#/ || NF < 2 { next }
    { for (i = 1; i <= n; i++) if (("," $1 ",") ~ ("," groups[i] ",")) { print $2; next } }
  ' "$top/scripts/packages" | sort -u
}

# missing_packages GROUP…: those of them that are not installed.
missing_packages ()
{
  local package
  for package in $(packages_of "$@"); do
    if [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
      printf '%s\n' "$package"
    fi
  done
}

# ensure_packages GROUP…: installs what is missing, and touches neither apt nor the network when nothing is.
ensure_packages ()
{
  local missing as_root=()
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    say "this is not a Debian system; going on as if its packages for these were here:"
    packages_of "$@"
    return 0
  fi
  mapfile -t missing < <(missing_packages "$@")
  if [ ${#missing[@]} -eq 0 ]; then
    return 0
  fi
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null \
      || die "these packages are missing, and there is no sudo to install them; as root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq || die "apt-get update failed; these packages are missing: ${missing[*]}"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" \
    >/dev/null || die "apt-get could not install ${missing[*]}"
}

# configure_build DIR OPTION…: meson setup where it is missing or belongs to another place (the tree was moved). Options
# that were not given to DIR before are set; those that were are left as they are now.
configure_build ()
{
  local dir=$1 given=$1/bufalloc-options info=$1/meson-info/meson-info.json option
  local pending=()
  shift
  if [ -f "$info" ] && ! grep -qF "\"source\": \"$top\"" "$info"; then
    say "$dir was made for another source tree; making it again"
    rm -rf "$dir"/meson-* "$dir"/build.ninja "$dir"/.ninja_* "$given"
  fi
  for option in "$@"; do
    grep -qxF -e "$option" "$given" 2>/dev/null || pending+=("$option")
  done
  if [ ! -f "$dir/build.ninja" ]; then
    meson setup "$dir" "$top" "$@" || return 1
  elif [ ${#pending[@]} -gt 0 ]; then
    # with reconfigure: an option may be newer than the directory, which does not know it then
    meson setup --reconfigure "$dir" "$top" "${pending[@]}" || return 1
  fi
  for option in "${pending[@]}"; do
    touch "$given"
    sed -i "/^${option%%=*}\(=\|\$\)/d" "$given"
    printf '%s\n' "$option" >>"$given"
  done
}
