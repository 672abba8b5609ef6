import { parseArgs } from 'node:util';
import { type ContrailSimulator, FIXED_TOKENS, startContrailSimulator } from '../contrail';
import { SEEDS, seedNetworks } from './seed';

const USAGE = `npm run simulator -- contrail [options]
  --port N        of 127.0.0.1; 8082 is Contrail's (default: any free one)
  --auth MODE     none, rbac or cloud-admin (default: none)
  --keystone URL  who validates tokens; without it they are "${FIXED_TOKENS.admin}" and "${FIXED_TOKENS.demo}"
  --settle MS     what the schema transformer takes (default: 200)
  --network NAME=CIDR[@PROJECT]  a network besides the ones that are there; may be repeated
  --empty         no networks to begin with`;

/** Runs a simulated Contrail by hand, until it is interrupted. */
export async function runContrail(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string' },
      auth: { type: 'string', default: 'none' },
      keystone: { type: 'string' },
      settle: { type: 'string' },
      network: { type: 'string', multiple: true, default: [] },
      empty: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { auth, keystone } = values;
  if (values.help || (auth !== 'none' && auth !== 'rbac' && auth !== 'cloud-admin')) return console.log(USAGE);
  const simulator = await startContrailSimulator({
    auth,
    ...(values.port !== undefined && { port: Number(values.port) }),
    ...(keystone !== undefined && { keystoneUrl: keystone }),
    ...(values.settle !== undefined && { settle: Number(values.settle) }),
  });
  console.log(`Contrail (simulated) at ${simulator.url}, aaa_mode ${auth}`);
  // A Keystone of others knows projects of its own, and whom to let in.
  if (keystone === undefined) await seed(simulator, { auth, empty: values.empty, more: values.network });
  console.log(`  curl -s ${simulator.url}/virtual-networks`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void simulator.close().then(() => process.exit(0)));
  }
}

async function seed(
  { url }: ContrailSimulator,
  { auth, empty, more }: { auth: string; empty: boolean; more: readonly string[] },
): Promise<void> {
  const asked = more.map((text) => {
    const [name = '', rest = ''] = text.split('=');
    const [cidr = '', project = 'demo'] = rest.split('@');
    return { name, cidr, project };
  });
  const networks = [...(empty ? [] : SEEDS), ...asked];
  const made = await seedNetworks(url, { networks, ...(auth !== 'none' && { token: FIXED_TOKENS.admin }) });
  for (const { id, name, cidr, project, external } of made) {
    console.log(`  network ${id} ${name} ${cidr} of ${project}${external ? ', external' : ''}`);
  }
}
