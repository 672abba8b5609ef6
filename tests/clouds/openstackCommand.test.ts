import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type CloudFaces, startCloudFaces } from '../support/simulators/startCloudFaces';

/** The real, unmodified command; a call takes one to two seconds. */
describe('the openstack command', () => {
  let faces: CloudFaces;
  beforeAll(async () => {
    faces = await startCloudFaces([{ type: 'load-balancer', name: 'octavia', url: 'http://127.0.0.1:9876' }]);
  });
  afterAll(() => faces.close());

  const openstack = async (words: string, as: 'admin' | 'member' = 'member') => {
    const env = { ...process.env, ...faces.environmentOf(as, 'demo') };
    const args = [...words.split(' '), ...(words.includes(' delete ') ? [] : ['-f', 'json'])];
    const { stdout } = await promisify(execFile)('openstack', args, { env });
    return stdout === '' ? undefined : JSON.parse(stdout);
  };

  it('logs in and shows the catalogue', async () => {
    const [token, catalog] = await Promise.all([openstack('token issue'), openstack('catalog list')]);

    expect(token.id).toHaveLength(32);
    expect(catalog.map(({ Type }: { Type: string }) => Type)).toEqual(['identity', 'network', 'load-balancer']);
  }, 30_000);

  it('lists projects to an admin, and the shared networks to everybody', async () => {
    const [projects, networks] = await Promise.all([openstack('project list', 'admin'), openstack('network list')]);

    expect(projects.map(({ Name }: { Name: string }) => Name)).toEqual(['admin', 'demo', 'service']);
    expect(networks.map(({ Name }: { Name: string }) => Name).sort()).toEqual(['local', 'public']);
  }, 30_000);

  it('finds a subnet by name and the security group that every project has', async () => {
    const [subnet, groups] = await Promise.all([openstack('subnet show local'), openstack('security group list')]);

    expect(subnet).toMatchObject({ name: 'local', cidr: '127.80.0.0/16', gateway_ip: null });
    expect(groups).toEqual([expect.objectContaining({ Name: 'default' })]);
  }, 30_000);

  it('creates a port, puts a floating IP on it and deletes it', async () => {
    const port = await openstack('port create --network local --fixed-ip subnet=local,ip-address=127.80.9.9 mine');
    expect(port.fixed_ips).toEqual([expect.objectContaining({ ip_address: '127.80.9.9' })]);

    const floating = await openstack(`floating ip create --port ${port.id} public`);
    expect(floating).toMatchObject({ fixed_ip_address: '127.80.9.9', status: 'ACTIVE', port_id: port.id });

    await openstack('port delete mine');
    expect(faces.network.model.ports.get(port.id)).toBeUndefined();
    expect(faces.network.model.floatingIps.get(floating.id)).toMatchObject({ port_id: null, status: 'DOWN' });
  }, 30_000);
});
