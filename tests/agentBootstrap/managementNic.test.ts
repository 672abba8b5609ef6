import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readManagementNic } from '../../driver/agentBootstrap/managementNic';
import { createTopology, type Namespace, type Topology } from '../support/namespaces';
import { waitUntil } from '../support/wait';

const MAC = 'fa:16:3e:00:00:01';
/** As Nova writes it for a network without DHCP, and for one with. */
const NETWORK_DATA = {
  links: [
    { id: 'tap1', vif_id: 'port-1', type: 'ovs', mtu: 1442, ethernet_mac_address: MAC },
    { id: 'tap2', vif_id: 'port-2', type: 'ovs', mtu: 1500, ethernet_mac_address: 'fa:16:3e:00:00:02' },
  ],
  networks: [
    {
      id: 'network0',
      type: 'ipv4',
      link: 'tap1',
      ip_address: '192.0.2.10',
      netmask: '255.255.255.192',
      routes: [
        { network: '0.0.0.0', netmask: '0.0.0.0', gateway: '192.0.2.1' },
        { network: '198.51.100.0', netmask: '255.255.255.0', gateway: '192.0.2.2' },
      ],
      network_id: 'net-1',
    },
    {
      id: 'network1',
      type: 'ipv6',
      link: 'tap1',
      ip_address: '2001:db8::10',
      netmask: 'ffff:ffff:ffff:ffff::',
      routes: [{ network: '::', netmask: '::', gateway: '2001:db8::1' }],
      network_id: 'net-1',
    },
    { id: 'network2', type: 'ipv4_dhcp', link: 'tap1', network_id: 'net-1' },
    { id: 'network3', type: 'ipv4', link: 'tap2', ip_address: '203.0.113.9', netmask: '255.255.255.0', routes: [] },
  ],
  services: [],
};

it('reads the first NIC alone, with what is not left to DHCP', () => {
  expect(readManagementNic(JSON.stringify(NETWORK_DATA))).toEqual({
    macAddress: MAC,
    mtu: 1442,
    addresses: [
      {
        family: 4,
        address: '192.0.2.10/26',
        routes: [
          { destination: '0.0.0.0/0', via: '192.0.2.1' },
          { destination: '198.51.100.0/24', via: '192.0.2.2' },
        ],
      },
      { family: 6, address: '2001:db8::10/64', routes: [{ destination: '::/0', via: '2001:db8::1' }] },
    ],
  });
  expect(readManagementNic('{"links":[],"networks":[],"services":[]}')).toBeUndefined();
});

describe('an engine in a network without DHCP', () => {
  let topology: Topology;
  let machine: Namespace;
  let folder: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ss-nic-'));
    topology = createTopology('ss-boot');
    machine = await topology.namespace('engine');
    const network = await topology.network('management');
    await network.plug(machine, { name: 'ens3', macAddress: MAC, mtu: 1442, up: false });
    mkdirSync(join(folder, 'openstack/latest'), { recursive: true });
    writeFileSync(join(folder, 'openstack/latest/network_data.json'), JSON.stringify(NETWORK_DATA));
  });
  afterEach(async () => {
    await topology.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  /** An agent that is told of its NIC and of nothing else, so that it goes on asking. */
  async function runAgentUntil(told: string): Promise<void> {
    const root = join(__dirname, '../..');
    const program = [join(root, 'devstack/run-ts.cjs'), join(root, 'driver/cli.ts'), 'agent'];
    const places = ['--config-drive', folder, '--state-dir', join(folder, 's'), '--run-dir', join(folder, 'r')];
    const nowhere = ['--metadata-url', 'http://127.0.0.1:9'];
    const words = [`--net=/run/netns/${machine.name}`, process.execPath, ...program, ...places, ...nowhere];
    const agent = spawn('nsenter', words, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [agent.stdout, agent.stderr]) stream.on('data', (data) => (output += String(data)));
    const ended = new Promise((resolve) => agent.once('exit', resolve));
    try {
      await waitUntil(`the agent says: ${told}`, 60_000, () => output.includes(told));
    } finally {
      agent.kill('SIGTERM');
    }
    await expect(ended).resolves.toBe(0);
  }

  it('gives itself the addresses and routes that Nova names, and leaves them alone at the next start', async () => {
    await runAgentUntil('does not know who it is');

    const shown = await machine.ip('address', 'show', 'dev', 'ens3');
    expect(shown).toMatch(/<[^>]*\bUP\b/);
    expect(shown).toContain('mtu 1442');
    expect(shown).toContain('inet 192.0.2.10/26');
    expect(shown).toContain('inet6 2001:db8::10/64');
    expect(await machine.ip('route', 'show')).toContain('default via 192.0.2.1 dev ens3');
    expect(await machine.ip('route', 'show')).toContain('198.51.100.0/24 via 192.0.2.2');
    expect(await machine.ip('-6', 'route', 'show')).toContain('default via 2001:db8::1');

    await machine.ip('route', 'delete', '198.51.100.0/24');
    await runAgentUntil('does not know who it is');
    expect(await machine.ip('route', 'show')).not.toContain('198.51.100.0/24');
  }, 180_000);
});
