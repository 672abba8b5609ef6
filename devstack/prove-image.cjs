/**
 * `node devstack/prove-image.cjs`, as root on Debian: takes the steps of the Dockerfile where there is no Docker. Each
 * stage is a copy of a root that debootstrap made, with this host's Node in it as the base image has one; COPY copies, RUN
 * runs in a chroot, and at the end the entry point runs as the image's user: it upgrades a database and serves the API.
 */
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const ROOT = path.join(__dirname, '..');
const MIRROR = 'http://deb.debian.org/debian';
/** Kept between runs: the base image's stand-in. */
const BASE = process.argv[2] ?? path.join(ROOT, 'var', 'image-base');

function run(program, args, options = {}) {
  const { status, error } = spawnSync(program, args, { stdio: ['ignore', 2, 2], ...options });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status ?? error}`);
}

function ensureBase() {
  if (fs.existsSync(path.join(BASE, 'usr/local/bin/node'))) return;
  if (!fs.existsSync(path.join(BASE, 'etc/debian_version'))) {
    fs.mkdirSync(path.dirname(BASE), { recursive: true });
    run('debootstrap', ['--variant=minbase', 'bookworm', BASE, MIRROR]);
  }
  const local = path.join(BASE, 'usr/local');
  fs.mkdirSync(path.join(local, 'lib/node_modules'), { recursive: true });
  fs.copyFileSync(process.execPath, path.join(local, 'bin/node'));
  const npm = path.join(path.dirname(path.dirname(fs.realpathSync(process.execPath))), 'lib/node_modules/npm');
  run('cp', ['-a', npm, path.join(local, 'lib/node_modules/npm')]);
  fs.symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', path.join(local, 'bin/npm'));
  fs.copyFileSync('/etc/resolv.conf', path.join(BASE, 'etc/resolv.conf'));
  run('chroot', [BASE, 'useradd', '--create-home', '--uid', '1000', 'node']);
}

/** Instructions with their text, continued lines joined. */
function readDockerfile() {
  const text = fs
    .readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8')
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n/g, ' ');
  return text
    .split('\n')
    .map((line) => /^(\w+)\s+(.*)$/.exec(line.trim()))
    .filter((match) => match !== null)
    .map(([, name, rest]) => ({ name, rest }));
}

/** A host may reach the registry by a proxy with an authority of its own. */
const AUTHORITY = process.env.NODE_EXTRA_CA_CERTS;
const OF_HOST = AUTHORITY ? { NODE_EXTRA_CA_CERTS: AUTHORITY } : {};

function trustAsHost(root) {
  if (!AUTHORITY) return;
  fs.mkdirSync(path.dirname(path.join(root, AUTHORITY)), { recursive: true });
  fs.copyFileSync(AUTHORITY, path.join(root, AUTHORITY));
}

const MOUNTS = ['proc', 'dev'];
const work = fs.mkdtempSync(path.join(tmpdir(), 'ss-image-'));
const stages = [];

function openStage(name) {
  const root = path.join(work, name);
  run('cp', ['-a', '--reflink=auto', BASE, root]);
  trustAsHost(root);
  for (const mount of MOUNTS) run('mount', ['--bind', `/${mount}`, path.join(root, mount)]);
  const stage = {
    name,
    root,
    dir: '/',
    user: 'root',
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
    entry: [],
  };
  stages.push(stage);
  return stage;
}

function closeStages() {
  for (const { root } of stages) for (const mount of MOUNTS) spawnSync('umount', [path.join(root, mount)]);
  fs.rmSync(work, { recursive: true, force: true });
}

/** The command line of a program in the stage: chroot, user, directory, environment. */
function inside({ root, dir, user, env }, command) {
  const variables = Object.entries({ ...OF_HOST, ...env, HOME: user === 'root' ? '/root' : `/home/${user}` });
  const assignments = variables.map(([key, value]) => `${key}=${value}`);
  return ['chroot', [`--userspec=${user}`, root, 'env', '-i', `-C`, dir, ...assignments, ...command]];
}

function copy(stage, rest) {
  const words = rest.split(/\s+/);
  const from = words[0].startsWith('--from=') ? words.shift().slice('--from='.length) : undefined;
  const target = words.pop();
  const there = path.join(stage.root, path.resolve(stage.dir, target));
  if (target.endsWith('/') || words.length > 1) fs.mkdirSync(there, { recursive: true });
  for (const word of words) {
    if (from !== undefined) {
      const source = path.join(stages.find(({ name }) => name === from).root, word);
      fs.mkdirSync(path.dirname(there), { recursive: true });
      run('cp', ['-a', source, there]);
    } else if (word === '.') {
      // What a checkout holds: .dockerignore leaves out the same.
      const files = spawnSync('git', ['ls-files', '-z'], { cwd: ROOT }).stdout;
      const tar = spawnSync('tar', ['-c', '--null', '--ignore-failed-read', '-T', '-'], {
        cwd: ROOT,
        input: files,
        maxBuffer: 2 ** 30,
      });
      run('tar', ['-x', '-C', there], { input: tar.stdout, stdio: ['pipe', 2, 2] });
    } else {
      run('cp', ['-a', path.join(ROOT, word), there]);
    }
  }
}

const STEPS = {
  WORKDIR(stage, rest) {
    stage.dir = path.resolve(stage.dir, rest);
    fs.mkdirSync(path.join(stage.root, stage.dir), { recursive: true });
  },
  COPY: copy,
  RUN: (stage, rest) =>
    run(...inside({ ...stage, env: { ...stage.env, DEBIAN_FRONTEND: 'noninteractive' } }, ['sh', '-c', rest])),
  ENV(stage, rest) {
    for (const pair of rest.split(/\s+/))
      stage.env[pair.slice(0, pair.indexOf('='))] = pair.slice(pair.indexOf('=') + 1);
  },
  USER(stage, rest) {
    stage.user = rest;
  },
  ENTRYPOINT(stage, rest) {
    stage.entry = JSON.parse(rest);
  },
};

function build() {
  let stage;
  for (const { name, rest } of readDockerfile()) {
    console.log(`${name} ${rest}`);
    const [, as = 'final'] = /\sAS\s+(\w+)$/.exec(rest) ?? [];
    if (name === 'FROM') stage = openStage(as);
    else STEPS[name]?.(stage, rest);
  }
  return stage;
}

/** A site in the image: a database, the API without Keystone, a question to it, and its end. */
async function tryOut(stage) {
  const [port, file] = [19_876, '/var/lib/slipstream/prove.conf'];
  const config = `[database]\nconnection = sqlite:////var/lib/slipstream/prove.db\n[api_settings]\nauth_strategy = noauth\nbind_port = ${port}\n[controller_worker]\nnetwork_driver = noop\ncompute_driver = noop\n`;
  fs.writeFileSync(path.join(stage.root, file), config);
  const command = (...args) => inside(stage, [...stage.entry, ...args, '--config-file', file]);
  run(...inside(stage, ['sh', '-c', 'haproxy -v && nginx -v && id -un && node --version']));
  run(...command('db', 'upgrade'));
  const [program, args] = command('api');
  const child = spawn(program, args, { stdio: ['ignore', 2, 2] });
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 150; attempt += 1) {
    const answer = await fetch(`${url}/healthcheck`).catch(() => undefined);
    if (answer?.ok) break;
    await sleep(200);
  }
  const list = await fetch(`${url}/v2/lbaas/loadbalancers`);
  console.log(`GET /v2/lbaas/loadbalancers: ${list.status} ${await list.text()}`);
  child.kill('SIGTERM');
  const code = await ended;
  console.log(`asked to end, it ended with ${code}`);
  if (list.status !== 200 || code !== 0) throw new Error('the image does not do its work');
}

function sizeOf(folder) {
  return spawnSync('du', ['-sxm', folder], { encoding: 'utf8' }).stdout.split('\t')[0];
}

async function main() {
  ensureBase();
  const stage = build();
  console.log(
    `the image: ${sizeOf(stage.root)} MB, of which base ${sizeOf(BASE)} MB, the program ${sizeOf(path.join(stage.root, 'opt/slipstream'))} MB`,
  );
  await tryOut(stage);
}

main()
  .catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  })
  .finally(closeStages);
