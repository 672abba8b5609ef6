import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { startProcess } from '../../driver/cli/processes';
import { SEED_IDS } from '../../driver/clouds/network/seed';
import { configFromText } from '../../driver/config/config';
import { connectDatabase } from '../../driver/db/connect';
import { upgradeDatabase } from '../../driver/db/migrate';
import { keystoneSection } from '../support/simulators/keystoneSettings';
import { startNova } from '../support/simulators/nova';
import { startCloudFaces } from '../support/simulators/startCloudFaces';

const CONTROLLER = `[controller_worker]
network_driver = neutron
compute_driver = nova
amp_flavor_id = flavor-7
amp_image_tag = slipstream-engine
amp_boot_network_list = net-mgmt
metrics_port = 0
[health_manager]
metrics_port = 0
bind_port = 0
[house_keeping]
metrics_port = 0
`;

let folder: string;
const closers: (() => Promise<void>)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'openstack-'));
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
  rmSync(folder, { recursive: true, force: true });
});

async function startCloud() {
  const nova = await startNova();
  closers.push(() => nova.close());
  const cloud = await startCloudFaces([{ type: 'compute', name: 'nova', url: nova.url }]);
  closers.push(() => cloud.close());
  const connection = `sqlite:///${join(folder, 'slipstream.db')}`;
  const db = await connectDatabase(connection);
  await upgradeDatabase(db);
  await db.destroy();
  const config = configFromText(
    `[database]\nconnection = ${connection}\n[api_settings]\nbind_port = 0\n${keystoneSection(cloud.authUrl)}${CONTROLLER}`,
  );
  return { cloud, config };
}

it('slipstream api makes VIP ports in Neutron', async () => {
  const { cloud, config } = await startCloud();
  const api = await startProcess('api', config, pino({ level: 'silent' }));
  closers.push(() => api.close());

  const answer = await fetch(`${api.url}/v2/lbaas/loadbalancers`, {
    method: 'POST',
    headers: { 'X-Auth-Token': cloud.tokenFor('admin', 'admin'), 'Content-Type': 'application/json' },
    body: JSON.stringify({ loadbalancer: { name: 'web', vip_subnet_id: SEED_IDS.localSubnet } }),
  });
  const { loadbalancer } = (await answer.json()) as { loadbalancer: { id: string; vip_port_id: string } };

  expect(answer.status).toBe(201);
  expect(cloud.network.model.ports.get(loadbalancer.vip_port_id)).toMatchObject({
    name: `octavia-lb-${loadbalancer.id}`,
    device_owner: 'Octavia',
  });
}, 30_000);

it.each(['worker', 'health-manager', 'housekeeping'] as const)(
  'slipstream %s starts on Neutron and Nova, and ends',
  async (name) => {
    const { config } = await startCloud();

    const running = await startProcess(name, config, pino({ level: 'silent' }));

    await expect(running.close()).resolves.toBeUndefined();
  },
  30_000,
);
