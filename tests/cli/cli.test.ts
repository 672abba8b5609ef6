import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../support/freePorts';
import { waitUntil } from '../support/wait';

/** The built program, as `npm test` has built it. */
const CLI = join(__dirname, '../../dist/driver/cli.js');

let folder: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ss-cli-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function run(args: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { status, stdout, stderr };
}

function configFile(text: string): string {
  const file = join(folder, 'slipstream.conf');
  writeFileSync(file, text);
  return file;
}

it('explains itself', () => {
  const { status, stdout } = run(['--help']);

  expect(status).toBe(0);
  expect(stdout).toMatch(/all-in-one.*api.*worker.*health-manager.*housekeeping.*agent.*db.*config/s);
});

it('shows what is in force, with secrets hidden and warnings beside it', () => {
  const file = configFile('[database]\nconnection = mysql://u:hunter2@h/d\n[api_settings]\nbind_prot = 1\n');

  const { status, stdout, stderr } = run(['config', 'show', '--config-file', file], {
    OS_API_SETTINGS__BIND_PORT: '1234',
  });

  expect(status).toBe(0);
  expect(stdout).toContain('bind_port = 1234');
  expect(stdout).toContain('connection = mysql://u:***@h/d');
  expect(stderr).toContain('[api_settings] bind_prot');
});

it.each([
  ['a bad value', '[api_settings]\nbind_port = http\n', '[api_settings] bind_port = http: expected an integer'],
  [
    'a database it cannot reach',
    '[database]\nconnection = mysql://u:p@127.0.0.1:1/d\npool_timeout = 1\n',
    'The database is not available',
  ],
  [
    'a driver it does not have',
    '[controller_worker]\nnetwork_driver = local\n',
    '[controller_worker] network_driver = local',
  ],
])('stops with one line for %s', (_what, text, message) => {
  const { status, stderr } = run(['worker', '--config-file', configFile(noop(text))]);

  expect(status).toBe(1);
  expect(stderr).toContain(`slipstream: `);
  expect(stderr).toContain(message);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});

it('shows the stack to those who debug', () => {
  const { stderr } = run(['worker', '--config-file', configFile('[database]\nconnection = nonsense\n')], {
    OS_DEFAULT__DEBUG: 'true',
  });

  expect(stderr).toMatch(/\n\s+at /);
});

it('upgrades a database once, and says where it stands', () => {
  const file = configFile('[embedded]\nstate_dir = site\n');

  expect(run(['db', 'version', '--config-file', file]).stdout).toContain('database: empty');
  expect(run(['db', 'upgrade', '--config-file', file]).stdout).toContain('done: 0001_catalogue');
  expect(run(['db', 'upgrade', '--config-file', file]).stdout).toBe('nothing to do\n');
  const { stdout } = run(['db', 'version', '--config-file', file]);
  expect(/database: (\S+)/.exec(stdout)?.[1]).toBe(/program: +(\S+)/.exec(stdout)?.[1]);
});

it('does not start a process on a database that was not upgraded', () => {
  const { status, stderr } = run(['worker', '--config-file', configFile(noop(''))]);

  expect(status).toBe(1);
  expect(stderr).toContain('slipstream db upgrade');
});

it.each(['api', 'worker', 'health-manager', 'housekeeping', 'driver-agent'])(
  'runs %s by itself until it is asked to end, and shows its health and metrics',
  async (name) => {
    const [port = 0, enginePort = 0] = await freePorts(2);
    const sockets = ['status', 'stats', 'get'].map((it) => `${it}_socket_path = ${join(folder, it)}\n`).join('');
    const ports = `[api_settings]\nauth_strategy = noauth\nbind_port = ${port}\n[health_manager]\nbind_port = ${enginePort}\nmetrics_port = ${port}\n[house_keeping]\nmetrics_port = ${port}\n[driver_agent]\nmetrics_port = ${port}\n${sockets}`;
    const file = configFile(noop(ports, `metrics_port = ${port}\n`));
    run(['db', 'upgrade', '--config-file', file]);
    const child = start(name, file);

    await waitUntil(`${name} is healthy`, 40_000, async () => {
      if (child.exitCode !== null) throw new Error(readFileSync(join(folder, 'out'), 'utf8'));
      const answer = await fetch(`http://127.0.0.1:${port}/healthcheck`).catch(() => undefined);
      return answer?.status === 200;
    });
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');

    expect(metrics).toContain(`process="${name}"`);
    expect(await ended).toBe(0);
  },
);

it('refuses an agent without its file, and names what is wrong in it', () => {
  const file = join(folder, 'agent.json');
  writeFileSync(
    file,
    JSON.stringify({ engineId: 'e', controllers: ['http://x'], token: 't', stateDir: 's', runDir: 'r' }),
  );

  expect(run(['agent'], { SLIPSTREAM_AGENT_CONFIG: file }).stderr).toContain(`${file}: controllers.0: `);
});

/** On drivers that need nothing, and a database in a file of the test. */
function noop(text: string, worker = ''): string {
  const drivers = text.includes('[controller_worker]')
    ? ''
    : `[controller_worker]\nnetwork_driver = noop\ncompute_driver = noop\n${worker}`;
  return `${drivers}[embedded]\nstate_dir = site\n${text}`;
}

function start(name: string, file: string): ChildProcess {
  const child = spawn(
    '/bin/sh',
    ['-c', 'exec "$0" "$@" > out 2>&1', process.execPath, CLI, name, '--config-file', file],
    { cwd: folder },
  );
  children.push(child);
  return child;
}
