# What quickstart and run-tests share: words on the screen, the time that a part took, packages. Sourced by bash.

say() { printf '\n== %s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# packages_of GROUP...: the package names of these groups in tools/packages.
packages_of() {
  local group
  for group in "$@"; do awk -v group="$group" '$1 == group { print $2 }' tools/packages; done
}

# came_otherwise PACKAGE: whether what is wanted of it is there without Debian's package. A node from elsewhere brings npm
# along, and Debian's package of that conflicts with it.
came_otherwise() {
  case $1 in
    nodejs) command -v node >/dev/null ;;
    npm) command -v npm >/dev/null ;;
    *) return 1 ;;
  esac
}

# missing_packages GROUP...: those of them that are not installed.
missing_packages() {
  local package
  for package in $(packages_of "$@"); do
    came_otherwise "$package" && continue
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

# as_root COMMAND...: runs it as root, through sudo where we are not.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Debian's packages start their services when they are installed, and nginx or Prometheus would take ports that somebody
# else uses. invoke-rc.d and deb-systemd-invoke ask /usr/sbin/policy-rc.d first: while we install, it says no.
policy=/usr/sbin/policy-rc.d
forbid_services() {
  [ -e "$policy" ] && as_root mv "$policy" "$policy.before-vitald"
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
}
allow_services() {
  as_root rm -f "$policy"
  [ -e "$policy.before-vitald" ] && as_root mv "$policy.before-vitald" "$policy"
  return 0
}

# install_missing GROUP...: one apt-get run for what is missing; nothing at all when nothing is.
install_missing() {
  local missing service
  missing=$(missing_packages "$@" | tr '\n' ' ')
  if [ -z "$missing" ]; then
    echo "Debian packages ($*): all there."
    return 0
  fi
  echo "Installing with apt-get: $missing"
  [ "$(id -u)" = 0 ] || command -v sudo >/dev/null || die "packages are missing and there is no sudo; as root: apt-get install $missing"
  trap allow_services EXIT
  trap 'exit 130' INT TERM
  forbid_services
  as_root apt-get update -qq
  # shellcheck disable=SC2086  # a list of words
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o Dpkg::Use-Pty=0 $missing >/dev/null || die "apt-get could not install the packages; its last lines are above"
  allow_services
  trap - EXIT INT TERM
  # What the tests brought must not start at the next boot either; what was there before is left as it is.
  for service in nginx-light:nginx prometheus:prometheus mariadb-server:mariadb postgresql:postgresql \
    redis-server:redis-server rabbitmq-server:rabbitmq-server rabbitmq-server:epmd.socket rabbitmq-server:epmd.service \
    supervisor:supervisor php-fpm:php8.2-fpm podman:podman.socket podman:podman.service podman:podman-restart.service \
    podman:podman-auto-update.timer podman:podman-auto-update.service; do
    case " $missing " in
      *" ${service%%:*} "*) as_root systemctl disable --quiet "${service#*:}" 2>/dev/null || true ;;
    esac
  done
}

# ccache finds its results again in another checkout, since paths below this one are made relative.
use_ccache() {
  export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-3G}
}

# build PRESET [TARGET...]: configures when that is needed and builds.
build() {
  local preset=$1
  shift
  cmake --preset "$preset" >"build/configure-$preset.log" 2>&1 ||
    { cat "build/configure-$preset.log"; echo "Configuring '$preset' failed."; return 1; }
  cmake --build --preset "$preset" ${1:+--target "$@"} -j "$(nproc)"
}
