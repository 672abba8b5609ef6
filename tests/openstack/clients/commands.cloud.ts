import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { runOpenstack } from '../../support/heat';
import { readLab } from '../lab';
import { openrc, type Person } from './cloud';

const EXAMPLES = path.resolve(__dirname, '../../../docs/clients/cli');
const STEP_TIMEOUT = 300_000;
const DENIED = 'Policy does not allow this request to be performed. (HTTP 403)';

type Env = NodeJS.ProcessEnv;

describe('The openstack command', () => {
  jest.setTimeout(STEP_TIMEOUT);
  const name = `cli-${process.pid}`;
  const people: Record<'admin' | 'member' | 'reader', Person> = {
    admin: readLab().person('admin', 'demo'),
    member: readLab().person('demo', 'demo'),
    reader: readLab().person('reader', 'demo'),
  };
  const credentials: { readonly id: string; readonly owner: Env }[] = [];
  afterAll(async () => {
    await runOpenstack(['loadbalancer', 'delete', '--cascade', name], openrc(people.member)).catch(ignoreMissing);
    for (const { id, owner } of credentials) await runOpenstack(['application', 'credential', 'delete', id], owner);
  });

  /** Logs in by an application credential that this person has made for themselves. */
  async function byCredential(who: Person): Promise<Env> {
    const owner = openrc(who);
    const made = JSON.parse(
      await runOpenstack(['application', 'credential', 'create', `${name}-${who.username}`, '-f', 'json'], owner),
    ) as { id: string; secret: string };
    credentials.push({ id: made.id, owner });
    const { OS_AUTH_URL, OS_REGION_NAME, OS_IDENTITY_API_VERSION } = owner;
    const rest = Object.fromEntries(Object.entries(owner).filter(([key]) => !key.startsWith('OS_')));
    return {
      ...rest,
      OS_AUTH_URL,
      OS_REGION_NAME,
      OS_IDENTITY_API_VERSION,
      OS_AUTH_TYPE: 'v3applicationcredential',
      OS_APPLICATION_CREDENTIAL_ID: made.id,
      OS_APPLICATION_CREDENTIAL_SECRET: made.secret,
    };
  }
  it('makes a web site for a member by a password, as documented', async () => {
    const env = { ...openrc(people.member), NAME: name, SUBNET: 'private-subnet', MEMBERS: '10.10.2.231 10.10.2.232' };
    const tree = await runExample('web.sh', env);
    expect(tree.match(/"address": "10\.10\.2\.23[12]"/g)).toHaveLength(2);
    const statuses = tree.match(/"provisioning_status": "[A-Z_]+"/g) ?? [];
    // The load balancer, listener, pool, two members and the monitor.
    expect(statuses).toEqual(Array.from({ length: statuses.length }, () => '"provisioning_status": "ACTIVE"'));
    expect(statuses.length).toBeGreaterThanOrEqual(6);
  });

  const ways: readonly [string, (who: Person) => Env | Promise<Env>][] = [
    ['a password', openrc],
    ['an application credential', byCredential],
  ];
  describe.each(ways)('by %s', (_way, logIn) => {
    it('shows a reader everything and lets them change nothing', async () => {
      const reader = await logIn(people.reader);
      const create = ['loadbalancer', 'create', '--name', `${name}-not`, '--vip-subnet-id', 'private-subnet'];
      await Promise.all([
        expect(runOpenstack(['loadbalancer', 'show', name, '-f', 'value', '-c', 'name'], reader)).resolves.toContain(
          name,
        ),
        expect(runOpenstack(['loadbalancer', 'set', '--name', 'theirs', name], reader)).rejects.toThrow(DENIED),
        expect(runOpenstack(create, reader)).rejects.toThrow(DENIED),
      ]);
    });

    it('keeps what is for operators from members', async () => {
      const [admin, member] = [await logIn(people.admin), await logIn(people.member)];
      await Promise.all([
        expect(runOpenstack(['loadbalancer', 'amphora', 'list'], admin)).resolves.toBeDefined(),
        expect(runOpenstack(['loadbalancer', 'amphora', 'list'], member)).rejects.toThrow(DENIED),
        expect(runOpenstack(['loadbalancer', 'set', '--description', 'by a member', name], member)).resolves.toBe(''),
      ]);
    });
  });

  it('deletes all of it, as documented', async () => {
    const env = { ...openrc(people.member), NAME: name };
    await runExample('delete.sh', env);
    expect(await runOpenstack(['loadbalancer', 'list', '-f', 'value', '-c', 'name'], env)).not.toContain(name);
  });
});

async function runExample(script: string, env: Env): Promise<string> {
  const options = { env, timeout: STEP_TIMEOUT, maxBuffer: 16 << 20 };
  return (await promisify(execFile)('sh', [path.join(EXAMPLES, script)], options)).stdout;
}

function ignoreMissing(error: Error): void {
  if (!error.message.includes('Unable to locate')) throw error;
}
