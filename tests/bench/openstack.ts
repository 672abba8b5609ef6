import { logIn } from '../openstack/clients/session';
import { startOctavia } from '../openstack/hosts/octavia';
import { type Lab, readLab } from '../openstack/lab';
import { waitUntil } from '../support/wait';
import { type CreateResult, type CreateTarget, createToActive } from './createToActive';
import { printTable } from './figures';
import { missingOctaviaPackages } from './octaviaApi';

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
  const octavia = await startOctavia(lab);
  const theirs: CreateTarget = { ...ours, url: octavia.url, connection: octavia.connection };
  try {
    return await createToActive(theirs, { concurrency: 1, count: COUNT, prefix: 'bench' });
  } finally {
    await clear(theirs).catch(console.error);
    await octavia.stop();
  }
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
