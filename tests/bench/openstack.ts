import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { logIn } from '../openstack/clients/session';
import { type Lab, readLab } from '../openstack/lab';
import { freePorts } from '../support/freePorts';
import { waitUntil } from '../support/wait';
import { hasConsumer, makeCertificates } from './controlSides';
import { type CreateResult, type CreateTarget, createToActive } from './createToActive';
import { printTable } from './figures';
import { configureOctavia, findOctaviaProgram, missingOctaviaPackages, serveOctavia } from './octaviaApi';
import { startDaemon, waitUntilUp } from './processes';

/**
 * `npm run bench:openstack`, with the lab of setup-devstack.sh up: from the request that creates a load balancer to ACTIVE,
 * on Nova's fake hypervisor and a real Neutron. Ours boots its engine as a namespace with a real agent in it; Debian's
 * Octavia has a server for each, boots nothing and asks no amphora (its no-op amphora driver).
 */
const COUNT = 5;

async function main(): Promise<void> {
  const lab = readLab();
  const demo = await logIn(lab.person('demo', 'demo'));
  const place = { subnetId: lab.cloud.private_subnet_id, projectId: lab.cloud.demo_project_id };
  const ours: CreateTarget = {
    url: lab.loadBalancerUrl,
    connection: lab.databaseUrl,
    place,
    headers: { 'x-auth-token': demo.token },
  };
  const rows: [string, CreateResult][] = [];
  try {
    rows.push(['slipstream, first', await createToActive(ours, { concurrency: 1, count: 1, prefix: 'bench-first' })]);
    rows.push(['slipstream, warm', await createToActive(ours, { concurrency: 1, count: COUNT, prefix: 'bench' })]);
  } finally {
    await clear(ours);
  }
  const missing = missingOctaviaPackages();
  if (missing.length === 0) rows.push(['octavia', await measureOctavia(lab, ours)]);
  else console.log(`No comparison with Octavia: apt-get install --no-install-recommends ${missing.join(' ')}`);
  printTable(
    ['create to ACTIVE', 'p50 ms', 'slowest ms'],
    rows.map(([name, { p50, p95 }]) => [name, p50.toFixed(0), p95.toFixed(0)]),
  );
}

async function measureOctavia(lab: Lab, ours: CreateTarget): Promise<CreateResult> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ss-bench-'));
  const opened: (() => Promise<unknown>)[] = [];
  try {
    const [port = 0] = await freePorts(1);
    const transportUrl = `rabbit://lab:${lab.password}@127.0.0.1:${lab.ports['rabbitmq']}/octavia`;
    const database = { create: async () => lab.databaseUrl.replaceAll('slipstream', 'octavia') };
    const more = `${makeCertificates(folder)}${octaviaInLab(lab)}`;
    const octavia = await configureOctavia(folder, database, { transportUrl, more });
    const api = await serveOctavia(folder, { ...octavia, port });
    opened.push(() => api.stop());
    const worker = startDaemon([findOctaviaProgram('octavia-worker'), '--config-file', octavia.configFile], {
      logFile: path.join(folder, 'octavia-worker.log'),
      env: { HOME: path.join(folder, 'octavia') },
    });
    opened.push(() => worker.stop());
    await waitUntilUp(worker, () => hasConsumer(transportUrl));
    const theirs: CreateTarget = { ...ours, url: api.url, connection: octavia.connection };
    opened.push(() => clear(theirs));
    return await createToActive(theirs, { concurrency: 1, count: COUNT, prefix: 'bench' });
  } finally {
    for (const close of opened.reverse()) await close().catch(console.error);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What Octavia needs to make its servers and ports as the lab's user of load-balancer services. */
function octaviaInLab({ authUrl, password, region, cloud }: Lab): string {
  const credentials = `auth_type = password
auth_url = ${authUrl}
username = octavia
password = ${password}
user_domain_id = default
project_name = service
project_domain_id = default
`;
  return `[api_settings]
auth_strategy = keystone
[keystone_authtoken]
${credentials}[service_auth]
${credentials}[controller_worker]
network_driver = allowed_address_pairs_driver
compute_driver = compute_nova_driver
amp_flavor_id = ${cloud.engine_flavor_id}
amp_image_tag = slipstream-engine
amp_image_owner_id = ${cloud.service_project_id}
amp_boot_network_list = ${cloud.management_network_id}
amp_secgroup_list = ${cloud.management_security_group_id}
[nova]
region_name = ${region}
[neutron]
region_name = ${region}
[glance]
region_name = ${region}
[health_manager]
heartbeat_key = bench
controller_ip_port_list = 127.0.0.1:5555
`;
}

/** Deletes what the bench has made, and waits until it is gone. */
async function clear({ url, headers = {}, place }: CreateTarget): Promise<void> {
  const all = `${url}/v2/lbaas/loadbalancers`;
  const list = async (): Promise<string[]> => {
    const answer = await fetch(`${all}?project_id=${place?.projectId}`, { headers });
    const { loadbalancers } = (await answer.json()) as { loadbalancers: { id: string; name: string }[] };
    return loadbalancers.filter(({ name }) => name.startsWith('bench')).map(({ id }) => id);
  };
  for (const id of await list()) await fetch(`${all}/${id}?cascade=true`, { method: 'DELETE', headers });
  await waitUntil('what was made is gone', 240_000, async () => (await list()).length === 0);
}

void main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
