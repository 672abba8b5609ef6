import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { RunningProcess } from '../../driver/domain/process';
import { freePorts } from '../support/freePorts';
import type { UserName } from '../support/simulators/keystone';
import { keystoneSection } from '../support/simulators/keystoneSettings';
import { type CloudFaces, startCloudFaces } from '../support/simulators/startCloudFaces';
import { startStandaloneApi } from '../support/standaloneApi';

/** The real command, a Keystone that serves HTTP, and an API that knows nothing of it but the address and its own login. */
describe('the openstack command on an API of its own', () => {
  let folder: string;
  let faces: CloudFaces;
  let api: RunningProcess;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'ss-api-'));
    const [port = 0] = await freePorts(1);
    faces = await startCloudFaces([{ type: 'load-balancer', name: 'octavia', url: `http://127.0.0.1:${port}` }]);
    api = await startStandaloneApi(folder, keystoneSection(faces.authUrl), port);
  });
  afterAll(async () => {
    await api.close();
    await faces.close();
    rmSync(folder, { recursive: true });
  });

  const openstack = async (user: UserName, ...words: string[]) => {
    const env = { ...process.env, ...faces.environmentOf(user, 'demo') };
    const args = ['loadbalancer', ...words, '-f', 'json'];
    const { stdout } = await promisify(execFile)('openstack', args, { env });
    return JSON.parse(stdout);
  };

  it('creates as a member, shows to a reader, and tells a reader what is not allowed', async () => {
    const create = ['create', '--name', 'web', '--vip-subnet-id', 'local'];
    const created = await openstack('member', ...create);
    expect(created).toMatchObject({ name: 'web', provisioning_status: 'PENDING_CREATE', provider: 'slipstream' });

    const [listed, refused] = await Promise.allSettled([openstack('reader', 'list'), openstack('reader', ...create)]);
    expect(listed).toMatchObject({ value: [{ id: created.id, name: 'web', project_id: created.project_id }] });
    expect(refused).toMatchObject({
      reason: { stderr: expect.stringContaining('Policy does not allow this request to be performed.') },
    });
  }, 60_000);
});
