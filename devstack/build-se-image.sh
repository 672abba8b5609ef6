#!/usr/bin/env bash
# Makes the image of a Service Engine: build-se-image.sh [FILE.qcow2], as root on Debian or Ubuntu. Debian 12 with what
# engines run, this host's Node, and the agent of this tree as a service. Needs no loop device, no Docker and no KVM:
# debootstrap makes the tree, mke2fs the file system, grub-mkimage the loader. The same sources and packages give the same
# bytes of the disk (kernel and initrd are copied beside it): times are those of SOURCE_DATE_EPOCH (default: the last commit), ids are fixed.
#
#   SE_IMAGE_MIRROR    mirror of Debian 12; default: what this host's apt uses
#   SE_IMAGE_NODE      node to copy in; default: the one on PATH
#   SE_IMAGE_ROOT_MB   size of the file system; default 1024
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
tree=$(dirname "$here")
parts=$here/se-image
output=$(realpath -m "${1:-$tree/var/se-image/engine.qcow2}")
node=$(realpath "${SE_IMAGE_NODE:-$(command -v node)}")
suite=bookworm
root_mb=${SE_IMAGE_ROOT_MB:-1024}
# Chosen once: whoever boots by it finds it, whatever else is plugged in.
disk_id=0x55e5e55e
root_uuid=5e5e5e5e-1000-4000-8000-00000000055e
# Sectors before the file system: the loader lies there.
first_sector=2048

: "${SOURCE_DATE_EPOCH:=$(git -C "$tree" log -1 --format=%ct 2>/dev/null || stat -c %Y "$tree/package.json")}"
export SOURCE_DATE_EPOCH
# As in a C locale: whatever is sorted is sorted alike everywhere.
export LC_ALL=C DEBIAN_FRONTEND=noninteractive TZ=UTC
umask 022

say() { echo "build-se-image: $*" >&2; }
die() {
  say "$*"
  exit 1
}

need() {
  local missing=() pair
  for pair in debootstrap:debootstrap mke2fs:e2fsprogs debugfs:e2fsprogs sfdisk:fdisk grub-mkimage:grub-common \
    qemu-img:qemu-utils unshare:util-linux; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
  done
  [ -d "$grub" ] || missing+=(grub-pc-bin)
  [ ${#missing[@]} -eq 0 ] || die "these packages are missing: ${missing[*]}"
}

grub=/usr/lib/grub/i386-pc
PATH=$PATH:/usr/sbin:/sbin
[ "$(id -u)" -eq 0 ] || die 'this has to be root: it makes files of root and device nodes'
need
[ -f "$tree/dist/driver/cli.js" ] || die 'there is no build: npm run build'

work=$(mktemp -d "${TMPDIR:-/tmp}/se-image.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
root=$work/root

# Mounts are seen by this command alone and go with it.
inside() {
  # shellcheck disable=SC2016
  unshare --mount --propagation private sh -c '
    root=$1; shift
    mount -t proc proc "$root/proc" && mount -t sysfs sysfs "$root/sys" && exec chroot "$root" "$@"' sh "$root" "$@" >&2
}

# Lines for sources.list of what this host's apt gets Debian 12 from.
sources() {
  if [ -n "${SE_IMAGE_MIRROR:-}" ]; then
    echo "deb $SE_IMAGE_MIRROR $suite main"
    return
  fi
  # shellcheck disable=SC2016
  apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
    awk -v suite="$suite" '$1 == "Debian" && $2 == "main" && $3 ~ "^" suite { print "deb", $4, $3, "main" }' | sort -u
}

bootstrap() {
  local mirror
  sources >"$work/sources"
  mirror=$(awk -v suite="$suite" '$3 == suite { print $2; exit }' "$work/sources")
  [ -n "$mirror" ] || die "apt of this host knows no Debian $suite: set SE_IMAGE_MIRROR"
  say "Debian $suite"
  debootstrap --variant=minbase "$suite" "$root" "$mirror" >&2
  cp "$work/sources" "$root/etc/apt/sources.list"
  # What stands in the way of this host's apt stands in the image's, as long as it is built.
  apt-config dump Acquire | grep -i '::proxy' >"$root/etc/apt/apt.conf.d/90build" || true
  if [ -f /etc/ssl/certs/ca-certificates.crt ]; then
    cp /etc/ssl/certs/ca-certificates.crt "$root/build-ca.crt"
    echo 'Acquire::https::CaInfo "/build-ca.crt";' >>"$root/etc/apt/apt.conf.d/90build"
  fi
  cp /etc/resolv.conf /etc/hosts "$root/etc/"
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
}

install_packages() {
  cp -r "$parts/files/." "$root/"
  echo "UUID=$root_uuid / ext4 noatime,errors=remount-ro 0 1" >"$root/etc/fstab"
  say 'packages'
  inside apt-get update -q
  inside apt-get -q -y -o Dpkg::Options::=--force-confold dist-upgrade
  # shellcheck disable=SC2046
  inside apt-get -q -y -o Dpkg::Options::=--force-confold install --no-install-recommends $(grep -v '^#' "$parts/packages")
}

install_agent() {
  say "the agent, and node $("$node" --version)"
  install -D -m 755 "$node" "$root/usr/local/bin/node"
  "$node" "$parts/collect-agent.cjs" "$tree" "$root/opt/slipstream"
  # It must run with the libraries that are there, and have all of its modules.
  inside /usr/local/bin/node /opt/slipstream/dist/driver/cli.js agent --help
  inside /usr/local/bin/node -e 'require("/opt/slipstream/dist/driver/agent/main"); require("/opt/slipstream/dist/driver/agentBootstrap/bootstrap")'
}

configure() {
  inside systemctl enable slipstream-agent.service systemd-networkd.service nftables.service
  # Whoever is let in comes by the data plane; daemons are the agent's to start.
  # shellcheck disable=SC2046
  inside systemctl mask $(grep -v '^#' "$parts/masked-units")
  ln -sf /usr/share/systemd/tmp.mount "$root/etc/systemd/system/tmp.mount"
  inside systemctl enable tmp.mount
  inside passwd --lock root
  ! awk -F: '$2 !~ /^[*!]/' "$root/etc/shadow" | grep . || die 'somebody has a password'
  echo service-engine >"$root/etc/hostname"
  printf '127.0.0.1 localhost service-engine\n::1 localhost\n' >"$root/etc/hosts"
}

# The kernel's modules for what clouds plug in; without the others the image and its initrd are small.
keep_modules() {
  local version=$1 folder file
  folder=$root/lib/modules/$version/kernel
  grep -v '^#' "$parts/modules" >"$work/modules"
  find "$folder" -name '*.ko*' -printf '%P\n' | grep -v -E -f "$work/modules" | while read -r file; do
    rm -f "$folder/$file"
  done
  find "$folder" -type d -empty -delete
  inside depmod "$version"
}

slim() {
  local version
  version=$(basename "$(echo "$root"/lib/modules/*)")
  keep_modules "$version"
  inside update-initramfs -u -k "$version"
  # Beside the image, for those who boot it with words of their own.
  cp "$root/boot/vmlinuz-$version" "$work/vmlinuz"
  cp "$root/boot/initrd.img-$version" "$work/initrd"
  ln -sf "vmlinuz-$version" "$root/boot/vmlinuz"
  ln -sf "initrd.img-$version" "$root/boot/initrd.img"
  inside apt-get -q -y clean
  cp "$work/sources" "$root/etc/apt/sources.list"
  # What only this build made, and what differs each time.
  rm -rf "$root"/{build-ca.crt,usr/sbin/policy-rc.d,etc/apt/apt.conf.d/90build,etc/resolv.conf} \
    "$root"/var/{lib/apt/lists,cache/apt,cache/debconf,cache/ldconfig,log,tmp,lib/systemd}/* \
    "$root"/{tmp,run}/* "$root"/usr/share/{man,locale,info,lintian,bash-completion,zsh,pixmaps,menu}/* \
    "$root"/usr/share/i18n "$root"/usr/lib/x86_64-linux-gnu/gconv "$root"/usr/share/zoneinfo/{posix,right} \
    "$root"/etc/{shadow-,passwd-,group-,gshadow-,.pwd.lock} "$root"/var/lib/dpkg/*-old \
    "$root/boot/System.map-$version" "$root/var/www" "$root/usr/lib/udev/hwdb.bin" "$root/usr/lib/udev/hwdb.d"
  find "$root/usr/share/doc" ! -type d ! -name copyright -delete
  find "$root/usr/share/doc" -type d -empty -delete
  find "$root" -xdev -name '__pycache__' -prune -exec rm -rf {} +
  # Sources of this host are no secret, but they are not the image's either.
  : >"$root/etc/apt/sources.list"
  : >"$root/etc/machine-id"
  mkdir -p "$root/var/log/nginx" "$root/var/lib/slipstream"
  # Days since 1970 of a password's last change.
  sed -i -E "s/^(([^:]*:){2})[0-9]*:/\1$((SOURCE_DATE_EPOCH / 86400)):/" "$root/etc/shadow"
}

loader_config() {
  cat <<END
set timeout=0
search --no-floppy --fs-uuid --set=root $root_uuid
linux /boot/vmlinuz root=UUID=$root_uuid ro net.ifnames=0 console=tty0 console=ttyS0,115200 quiet panic=10
initrd /boot/initrd.img
boot
END
}

# Everything has the same times, and a place that does not depend on how this host keeps its directories.
make_filesystem() {
  local image=$1 inodes
  find "$root" -xdev -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
  truncate -s "${root_mb}M" "$image"
  E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH mke2fs -q -t ext4 -d "$root" -U "$root_uuid" -L engine \
    -J size=8 -O ^resize_inode -m 0 -N 32768 \
    -E "hash_seed=$root_uuid,lazy_itable_init=0,nodiscard" "$image"
  # Two of the times of a file cannot be set but in the file system itself.
  inodes=$(find "$root" -xdev -printf '%i\n' | sort -u | wc -l)
  {
    seq 2 $((inodes + 11)) | while read -r inode; do
      printf 'sif <%s> %s @%s\n' "$inode" ctime "$SOURCE_DATE_EPOCH" "$inode" atime "$SOURCE_DATE_EPOCH" \
        "$inode" crtime "$SOURCE_DATE_EPOCH"
      printf 'sif <%s> %s 0\n' "$inode" ctime_extra "$inode" atime_extra "$inode" crtime_extra "$inode" mtime_extra
    done
  } >"$work/times"
  E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH debugfs -w -f "$work/times" "$image" >/dev/null 2>&1
  E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH e2fsck -f -n "$image" >&2 || die 'the file system is not sound'
}

make_disk() {
  local filesystem=$1 disk=$2 modules
  truncate -s "$((first_sector * 512 + root_mb * 1048576))" "$disk"
  printf 'label: dos\nlabel-id: %s\nstart=%s, type=83, bootable\n' "$disk_id" "$first_sector" |
    sfdisk --quiet "$disk"
  loader_config >"$work/grub.cfg"
  modules='biosdisk part_msdos ext2 search search_fs_uuid linux boot echo'
  # shellcheck disable=SC2086
  grub-mkimage -O i386-pc -d "$grub" -p /boot/grub -c "$work/grub.cfg" -o "$work/core.img" $modules
  [ "$(stat -c %s "$work/core.img")" -lt $(((first_sector - 1) * 512)) ] || die 'the loader is too large for its gap'
  # As it comes, it looks for its other part right behind it.
  dd if="$grub/boot.img" of="$disk" bs=1 count=440 conv=notrunc status=none
  dd if="$work/core.img" of="$disk" bs=512 seek=1 conv=notrunc status=none
  dd if="$filesystem" of="$disk" bs=1M seek="$((first_sector / 2048))" conv=notrunc,sparse status=none
}

bootstrap
install_packages
install_agent
configure
slim
say "the tree has $(du -sxm "$root" | cut -f1) MB"
make_filesystem "$work/root.ext4"
make_disk "$work/root.ext4" "$work/disk"
mkdir -p "$(dirname "$output")"
qemu-img convert -f raw -O qcow2 -c "$work/disk" "$output.new"
mv "$output.new" "$output"
cp "$work/vmlinuz" "${output%.qcow2}.vmlinuz"
cp "$work/initrd" "${output%.qcow2}.initrd"
say "sha256 of the disk: $(sha256sum "$work/disk" | cut -d' ' -f1)"
say "$output: $(($(stat -c %s "$output") / 1048576)) MB"
