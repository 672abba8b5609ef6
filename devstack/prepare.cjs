/**
 * Makes a fresh clone ready for `npm start` and `npm test`: packages of npm, programs of the system, the build. Plain Node
 * without dependencies, since there may be none yet. Each step looks first and does nothing when there is nothing to do.
 */
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.resolve(__dirname, '..');
const DIST = path.join(ROOT, 'dist');
const STAMP = path.join(DIST, '.built');
const SOURCES = ['api', 'driver', 'migrations', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];
/** Where Debian has daemons; not on everybody's PATH. */
const DAEMON_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/sbin'];

/** What a Debian package is known by. */
const PROGRAMS = {
  haproxy: { package: 'haproxy', isThere: () => find('haproxy') !== undefined },
  nginx: { package: 'nginx', isThere: () => find('nginx') !== undefined },
  ping: { package: 'iputils-ping', isThere: () => find('ping') !== undefined },
  iproute: { package: 'iproute2', isThere: () => find('ip') !== undefined },
  nftables: { package: 'nftables', isThere: () => find('nft') !== undefined },
  nginxStream: { package: 'libnginx-mod-stream', isThere: hasNginxStream },
  conntrack: { package: 'conntrack', isThere: () => find('conntrack') !== undefined },
  tcpdump: { package: 'tcpdump', isThere: () => find('tcpdump') !== undefined },
  bird: { package: 'bird2', isThere: () => find('bird') !== undefined },
  gobgp: { package: 'gobgpd', isThere: () => find('gobgpd') !== undefined },
  mariadb: { package: 'mariadb-server', isThere: () => find('mariadbd') !== undefined },
  openstack: { package: 'python3-openstackclient', isThere: () => find('openstack') !== undefined },
  octaviaclient: { package: 'python3-octaviaclient', isThere: hasOctaviaClient },
  rabbitmq: { package: 'rabbitmq-server', isThere: () => find('rabbitmq-server') !== undefined },
  octavialib: {
    package: 'python3-octavia-lib',
    isThere: () => python('import octavia_lib', '/usr/bin/python3'),
  },
  octaviaapi: {
    package: 'octavia-api',
    isThere: () => find('octavia-wsgi') !== undefined && find('octavia-db-manage') !== undefined,
  },
  uwsgi: { package: 'uwsgi-core', isThere: () => find('uwsgi') !== undefined },
  uwsgipython: {
    package: 'uwsgi-plugin-python3',
    isThere: () => fs.existsSync('/usr/lib/uwsgi/plugins/python3_plugin.so'),
  },
  oslo: { package: 'python3-oslo.messaging', isThere: () => python('import oslo_messaging', '/usr/bin/python3') },
  faketime: { package: 'libfaketime', isThere: () => findFaketime() !== undefined },
  shellcheck: { package: 'shellcheck', isThere: () => find('shellcheck') !== undefined },
  curl: { package: 'curl', isThere: () => find('curl') !== undefined },
  xz: { package: 'xz-utils', isThere: () => find('xz') !== undefined },
  qemu: { package: 'qemu-system-x86', isThere: () => find('qemu-system-x86_64') !== undefined },
  qemuimg: { package: 'qemu-utils', isThere: () => find('qemu-img') !== undefined },
  debootstrap: { package: 'debootstrap', isThere: () => find('debootstrap') !== undefined },
  sfdisk: { package: 'fdisk', isThere: () => find('sfdisk') !== undefined },
  grub: { package: 'grub-pc-bin', isThere: () => fs.existsSync('/usr/lib/grub/i386-pc/boot.img') },
  grubmkimage: { package: 'grub-common', isThere: () => find('grub-mkimage') !== undefined },
  genisoimage: { package: 'genisoimage', isThere: () => find('genisoimage') !== undefined },
  chromium: { package: 'chromium', isThere: () => find('chromium') !== undefined },
  fonts: { package: 'fonts-dejavu-core', isThere: () => fs.existsSync('/usr/share/fonts/truetype/dejavu') },
  venv: { package: 'python3-venv', isThere: () => python('import ensurepip, venv') },
};

/** The library that shifts a process's clock; below a folder that is named after the machine. */
function findFaketime() {
  const folder = '/usr/lib';
  const file = 'faketime/libfaketimeMT.so.1';
  return fs
    .readdirSync(folder)
    .map((name) => path.join(folder, name, file))
    .find((candidate) => fs.existsSync(candidate));
}

/** What a service engine on this host runs. */
const ENGINE_PROGRAMS = ['haproxy', 'nginx', 'nginxStream', 'ping'];
/** What one besides runs that keeps networks apart in namespaces. */
const NETWORK_PROGRAMS = ['iproute', 'nftables'];
/** What makes the image of a service engine, and boots it under emulation. */
const IMAGE_PROGRAMS = ['debootstrap', 'sfdisk', 'grub', 'grubmkimage', 'qemuimg', 'qemu', 'genisoimage'];

class PrepareError extends Error {}

/** Installs what package-lock.json says unless it is there already. */
function ensureModules() {
  if (modulesMatchLock()) return;
  say('installing the packages of package-lock.json');
  run('npm', ['ci', '--include=dev'], 'npm ci failed');
}

/** Compares versions, not times: a checkout touches the lockfile without changing it. */
function modulesMatchLock() {
  const wanted = readJson(path.join(ROOT, 'package-lock.json'))?.packages ?? {};
  const installed = readJson(path.join(ROOT, 'node_modules', '.package-lock.json'))?.packages ?? {};
  return Object.entries(wanted).every(
    ([name, { version, optional }]) => name === '' || optional || installed[name]?.version === version,
  );
}

/** Installs programs as root on Debian or Ubuntu; says what to install and gives up otherwise. */
function ensurePrograms(names) {
  const missing = names.map((name) => PROGRAMS[name]).filter((program) => !program.isThere());
  if (missing.length === 0) return;
  const packages = missing.map((program) => program.package);
  const command = `apt-get install ${packages.join(' ')}`;
  if (process.getuid?.() !== 0 || find('apt-get') === undefined) {
    throw new PrepareError(`these packages are missing: ${packages.join(', ')}. As root: ${command}`);
  }
  say(command);
  withoutServiceStart(() => {
    run('apt-get', ['update'], 'apt-get update failed');
    run('apt-get', ['install', '-y', '--no-install-recommends', ...packages], `${command} failed`);
  });
  const still = missing.filter((program) => !program.isThere()).map((program) => program.package);
  if (still.length > 0) throw new PrepareError(`installed, but not to be found: ${still.join(', ')}`);
}

/** Debian's packages start their service when they are installed, unless this file says that they may not. */
function withoutServiceStart(install) {
  const guard = '/usr/sbin/policy-rc.d';
  const ours = !fs.existsSync(guard);
  if (ours) fs.writeFileSync(guard, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    install();
  } finally {
    if (ours) fs.rmSync(guard, { force: true });
  }
}

/**
 * Installs what a requirements.txt names into a virtual environment of its own, once for each state of that file.
 * @param name of the folder below var/python
 */
function ensureVenv(name, requirements) {
  const folder = path.join(ROOT, 'var', 'python', name);
  const stamp = path.join(folder, '.installed');
  const wanted = fs.readFileSync(path.join(ROOT, requirements), 'utf8');
  if (readText(stamp) === wanted) return;
  say(`installing the Python packages of ${requirements}`);
  fs.rmSync(folder, { recursive: true, force: true });
  run('python3', ['-m', 'venv', folder], 'the virtual environment cannot be made');
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--requirement', requirements];
  run(path.join(folder, 'bin', 'python'), pip, 'pip install failed');
  fs.writeFileSync(stamp, wanted);
}

/** Compiles into dist/ if a source is newer than what is there. */
function ensureBuild() {
  if (builtAt() > Math.max(...SOURCES.map((name) => newestIn(path.join(ROOT, name))))) return;
  build();
}

function build() {
  say('building');
  const startedAt = new Date();
  run(
    process.execPath,
    [path.join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'],
    'the build failed',
  );
  // The OpenAPI document is read when the program runs.
  const openapi = path.join('api', 'openapi');
  for (const name of fs.readdirSync(path.join(ROOT, openapi)).filter((file) => file.endsWith('.yaml'))) {
    fs.copyFileSync(path.join(ROOT, openapi, name), path.join(DIST, openapi, name));
  }
  fs.writeFileSync(STAMP, '');
  // What changed while the compiler ran is built the next time.
  fs.utimesSync(STAMP, startedAt, startedAt);
}

function builtAt() {
  return fs.statSync(STAMP, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function newestIn(file) {
  const stat = fs.statSync(file);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...fs.readdirSync(file).map((name) => newestIn(path.join(file, name))));
}

function find(program) {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), ...DAEMON_FOLDERS];
  return folders.map((folder) => path.join(folder, program)).find(isExecutable);
}

function isExecutable(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** nginx carries UDP with its stream module, which Debian packages by itself. */
function hasNginxStream() {
  const nginx = find('nginx');
  if (nginx === undefined) return false;
  const about = spawnSync(nginx, ['-V'], { encoding: 'utf8' }).stderr ?? '';
  const modules = /--modules-path=(\S+)/.exec(about)?.[1];
  const file = modules === undefined ? undefined : path.join(modules, 'ngx_stream_module.so');
  return /--with-stream(?:\s|$)/.test(about) || (file !== undefined && fs.existsSync(file));
}

/** The plug-in belongs to the interpreter that runs `openstack`, which need not be the system's. */
function hasOctaviaClient() {
  const openstack = find('openstack');
  if (openstack === undefined) return false;
  const interpreter = /^#!\s*(\S+)/.exec(fs.readFileSync(openstack, 'utf8'))?.[1] ?? 'python3';
  return python('import importlib.util, sys; sys.exit(importlib.util.find_spec("octaviaclient") is None)', interpreter);
}

/** Whether a program of one line ends well. */
function python(program, interpreter = 'python3') {
  return spawnSync(interpreter, ['-c', program]).status === 0;
}

function run(program, args, failure) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // The output of steps is not the output of the command they precede.
  const { status, error } = spawnSync(program, args, { cwd: ROOT, env, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new PrepareError(error ? `${failure}: ${error.message}` : failure);
}

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function readText(file) {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined;
}

function say(text) {
  process.stderr.write(`slipstream: ${text}\n`);
}

/** Runs steps; what they cannot do is one line and exit code 1. */
function prepare(...steps) {
  const [major] = process.versions.node.split('.').map(Number);
  try {
    if (major < 20) throw new PrepareError(`Node 20 or newer is needed, this is ${process.version}`);
    for (const step of steps) step();
  } catch (error) {
    if (!(error instanceof PrepareError)) throw error;
    say(error.message);
    process.exit(1);
  }
}

module.exports = {
  ENGINE_PROGRAMS,
  IMAGE_PROGRAMS,
  NETWORK_PROGRAMS,
  ROOT,
  build,
  ensureBuild,
  ensureModules,
  ensurePrograms,
  ensureVenv,
  findFaketime,
  prepare,
};
