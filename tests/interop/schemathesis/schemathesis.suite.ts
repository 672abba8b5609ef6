import { spawn } from 'node:child_process';
import path from 'node:path';
import { keystoneIdentity } from '../../../api/middleware/authenticate';
import { PROJECT, startTestApi, type TestApi } from '../../support/api';
import { aKeystone, issueToken } from '../../support/simulators/keystone';
import { aNetworkCloud } from '../../support/simulators/network';
import { type Guard, startGuard } from './guard';

const FULL = process.env['SLIPSTREAM_FULL'] === 'yes';
/** Of one run, in seconds: there is one for each role. */
const BUDGET = FULL ? 600 : 20;
/** How long, in seconds, schemathesis may take to notice that its time is over, and for all around it. */
const PATIENCE = 60;
/** It leaves notes of failures where it runs. */
const INSTALLED = path.resolve(__dirname, '../../../var/python/schemathesis');
const PROGRAM = path.join(INSTALLED, 'bin', 'schemathesis');

interface Role {
  readonly name: string;
  /** Undefined: `noauth`. */
  readonly user?: 'admin' | 'member' | 'reader';
  readonly mayChange: boolean;
}

const ROLES: readonly Role[] = [
  { name: 'an admin', user: 'admin', mayChange: true },
  { name: 'a member', user: 'member', mayChange: true },
  { name: 'a reader', user: 'reader', mayChange: false },
  { name: 'anybody, with noauth', mayChange: true },
];

/** Requests that schemathesis makes of the served document, good ones and bad ones. */
describe.each(ROLES)('schemathesis as $name', ({ user, mayChange }) => {
  let api: TestApi;
  let guard: Guard;
  let headers: Record<string, string>;

  beforeAll(async () => {
    const keystone = aKeystone();
    const project = keystone.directory.projects.find(({ name }) => name === 'demo')?.id ?? '';
    const cloud = await aNetworkCloud(project);
    const authenticate = user ? { authenticate: keystoneIdentity(keystone) } : {};
    api = await startTestApi({ network: cloud.driver, ...authenticate });
    const token = (name: 'admin' | 'member' | 'reader') => ({
      'X-Auth-Token': issueToken(keystone, name, name === 'admin' ? 'admin' : 'demo'),
    });
    const projectId = user ? project : PROJECT;
    headers = user ? token(user) : { 'X-Project-Id': PROJECT };
    const subnetId = [...cloud.model.subnets.all()].find(({ name }) => name === 'local')?.id ?? '';
    guard = await startGuard({ api, headers: user ? token('admin') : headers, projectId, subnetId });
  });
  afterAll(async () => {
    await guard.close();
    await api.close();
  });

  it(
    'meets no failure, no silence, and leaves nothing behind by what is refused',
    async () => {
      const { code, output } = await runSchemathesis(guard.url, headers);

      const statuses = [...guard.answers.keys()];
      expect(guard.faults).toEqual([]);
      expect({ code, output }).toMatchObject({ code: 0 });
      expect([...guard.answers.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(200);
      expect(statuses).toEqual(expect.arrayContaining([200, 400]));
      expect(guard.changes > 0).toBe(mayChange);
    },
    (BUDGET + 2 * PATIENCE) * 1000,
  );
});

function runSchemathesis(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ code: number | null; output: string }> {
  const args = [
    '--config-file',
    path.join(__dirname, 'schemathesis.toml'),
    'run',
    `${url}/v2/openapi.json`,
    ...Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
    ...['--max-time', String(BUDGET), '--max-examples', FULL ? '1000' : '10'],
  ];
  const hooks = path.join(__dirname, 'hooks.py');
  const env = { ...process.env, GUARD_URL: url, SCHEMATHESIS_HOOKS: hooks, PYTHONDONTWRITEBYTECODE: '1' };
  const child = spawn(PROGRAM, args, {
    cwd: INSTALLED,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: (BUDGET + PATIENCE) * 1000,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}
