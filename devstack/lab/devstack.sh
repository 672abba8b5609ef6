# shellcheck shell=bash
# A DevStack with the plugin of this project: for hosts that reach opendev.org.

DEVSTACK_REPOSITORY=${DEVSTACK_REPOSITORY:-https://opendev.org/openstack/devstack}
DEVSTACK_BRANCH=${DEVSTACK_BRANCH:-master}

# run_devstack [DIR]: clones it, writes a local.conf unless there is one, and runs stack.sh as its own user.
run_devstack() {
  local folder=${1:-/opt/stack/devstack} branch
  [ "$(id -u)" = 0 ] || fail 'root is needed'
  command -v git >/dev/null || fail 'git is needed: apt-get install git'
  if [ ! -d "$folder/.git" ]; then
    say "cloning $DEVSTACK_REPOSITORY into $folder"
    mkdir -p "$(dirname "$folder")"
    git clone --branch "$DEVSTACK_BRANCH" "$DEVSTACK_REPOSITORY" "$folder" ||
      fail "$DEVSTACK_REPOSITORY cannot be cloned: this host has to reach it"
  fi
  # DevStack clones the plugin as another user, and a branch of it by name.
  branch=$(git -C "$ROOT" symbolic-ref --short HEAD) || fail "DevStack clones a branch: check one out in $ROOT"
  git config --system --get-all safe.directory | grep -qxF "$ROOT" || git config --system --add safe.directory "$ROOT"
  [ -e "$folder/local.conf" ] || write_local_conf "$branch" >"$folder/local.conf"
  [ ! -x "$folder/tools/create-stack-user.sh" ] || "$folder/tools/create-stack-user.sh" ||
    fail 'the user stack cannot be made'
  chown -R stack "$folder"
  say "running $folder/stack.sh as the user stack; it takes a while"
  su stack -s /bin/bash -c "cd '$folder' && exec ./stack.sh" || fail "stack.sh: see its log, /opt/stack/logs/stack.sh.log"
}

# write_local_conf BRANCH
write_local_conf() {
  local password
  password=$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')
  cat <<INI
[[local|localrc]]
ADMIN_PASSWORD=$password
DATABASE_PASSWORD=$password
RABBIT_PASSWORD=$password
SERVICE_PASSWORD=$password
LOGFILE=/opt/stack/logs/stack.sh.log
enable_plugin barbican https://opendev.org/openstack/barbican
enable_plugin heat https://opendev.org/openstack/heat
enable_plugin slipstream $ROOT $1
INI
}
