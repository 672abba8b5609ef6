import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createDevStackHost, type DevStackHost, recordingNode, writeProgram } from '../support/devstack';

const VERSION = '20.20.2';
const ARCHITECTURE = process.arch === 'x64' ? 'x64' : process.arch;
const NAME = `node-v${VERSION}-linux-${ARCHITECTURE}`;

let host: DevStackHost;
beforeEach(() => {
  host = createDevStackHost();
});
afterEach(() => host.remove());

/** A folder in the form of nodejs.org's, with a Node that writes its calls down. */
function publish({ checksums = true } = {}): string {
  const release = host.path(`dist/v${VERSION}`);
  mkdirSync(host.path('dist', NAME, 'bin'), { recursive: true });
  mkdirSync(release);
  writeProgram(host.path('dist', NAME, 'bin/node'), recordingNode(VERSION));
  writeProgram(host.path('dist', NAME, 'bin/npm'), '#!/bin/sh\n');
  execFileSync('tar', ['-cJf', `${release}/${NAME}.tar.xz`, '-C', host.path('dist'), NAME]);
  const listed = execFileSync('sha256sum', [`${NAME}.tar.xz`], { cwd: release, encoding: 'utf8' });
  writeFileSync(
    `${release}/SHASUMS256.txt`,
    checksums ? listed : listed.replace(/^./g, (c) => (c === '0' ? '1' : '0')),
  );
  return `file://${host.path('dist')}`;
}

/** The Node that the program is built with, which is the one it runs on. */
function installed(env: Record<string, string> = {}): string {
  const { status, trace } = host.run(['stack pre-install', 'stack extra'], env);
  if (status !== 0) throw new Error(trace);
  const started = host.takeCalls().find((call) => call.startsWith('run_process slipstream-api')) ?? '';
  return (started.split(' ')[2] ?? '').replace(host.folder, '');
}

function refused(env: Record<string, string> = {}): string {
  const { status, trace } = host.run(['stack pre-install'], env);
  expect(status).not.toBe(0);
  return trace.split('\n').find((line) => line.startsWith('[ERROR]')) ?? trace;
}

it('is the one on PATH if that is new enough', () => {
  expect(installed()).toBe('/bin/node');
  host.haveNode('24.0.1');
  expect(installed()).toBe('/bin/node');
});

it.each([
  ['none is there', undefined, true],
  ['it is too old', '18.19.0', true],
  ['it came without npm', '20.1.0', false],
])('is fetched when %s', (_, version, withNpm) => {
  host.haveNode(version, { withNpm });
  const url = publish();

  expect(installed({ SLIPSTREAM_NODE_URL: url })).toBe('/opt/slipstream-node/bin/node');
});

it('is not fetched again', () => {
  host.haveNode('18.19.0');
  installed({ SLIPSTREAM_NODE_URL: publish() });

  expect(installed({ SLIPSTREAM_NODE_URL: 'file:///nowhere' })).toBe('/opt/slipstream-node/bin/node');
});

it('is the one that local.conf names, or that one is refused', () => {
  const own = host.path('own/node');
  mkdirSync(host.path('own'));
  cpSync(host.path('bin/node'), own);
  expect(installed({ SLIPSTREAM_NODE: own })).toBe('/own/node');

  writeProgram(own, recordingNode('16.20.0'));
  expect(refused({ SLIPSTREAM_NODE: own })).toMatch(/own\/node \(16\.20\.0\): Slipstream needs Node 20 or newer/);
  chmodSync(own, 0o600);
  expect(refused({ SLIPSTREAM_NODE: own })).toMatch(/\(no Node\): Slipstream needs Node 20/);
});

it('is asked for in words when the host is offline', () => {
  host.haveNode('18.19.0');
  expect(refused({ OFFLINE: 'True' })).toMatch(
    /needs Node 20 or newer.*OFFLINE is True: found 18\.19\.0 \(.*Install one/,
  );
  host.haveNode(undefined);
  expect(refused({ OFFLINE: 'True' })).toContain('found none');
});

it('is not taken from an archive that is not what the list of checksums says', () => {
  host.haveNode(undefined);

  expect(refused({ SLIPSTREAM_NODE_URL: publish({ checksums: false }) })).toContain(
    `${NAME}.tar.xz cannot be had from`,
  );
  expect(existsSync(host.path('opt/slipstream-node'))).toBe(false);
});

it('names the address that does not have it', () => {
  host.haveNode(undefined);
  expect(refused({ SLIPSTREAM_NODE_URL: 'file:///nowhere' })).toContain('cannot be had from file:///nowhere');
});

it('builds with its own npm before that of the system', () => {
  host.haveNode('18.19.0');
  const url = publish();
  writeProgram(
    host.path('dist', NAME, 'bin/node'),
    `#!/bin/sh\n[ "$1" = --version ] && { echo v${VERSION}; exit; }\ncommand -v npm >"$SANDBOX/npm-used"\n`,
  );
  const release = host.path(`dist/v${VERSION}`);
  execFileSync('tar', ['-cJf', `${release}/${NAME}.tar.xz`, '-C', host.path('dist'), NAME]);
  writeFileSync(`${release}/SHASUMS256.txt`, execFileSync('sha256sum', [`${NAME}.tar.xz`], { cwd: release }));

  expect(host.run(['stack pre-install', 'stack install'], { SLIPSTREAM_NODE_URL: url }).status).toBe(0);
  expect(readFileSync(host.path('npm-used'), 'utf8').trim()).toBe(host.path('opt/slipstream-node/bin/npm'));
});
