import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { namesOf } from '../../../devstack/lab/hosts/config';
import type { HostsState } from '../../../devstack/lab/hosts/status';
import { identify } from '../../../driver/agent/process/identity';
import { createFloatingIp } from '../../../driver/clouds/network/model/floatingIps';
import { createNetwork } from '../../../driver/clouds/network/model/networks';
import { createPort, deletePort, type NewPort, updatePort } from '../../../driver/clouds/network/model/ports';
import type { PortRecord } from '../../../driver/clouds/network/model/records';
import { addRule, createSecurityGroup } from '../../../driver/clouds/network/model/securityGroups';
import { createSubnet } from '../../../driver/clouds/network/model/subnets';
import { createTopology } from '../../support/namespaces';
import { PASSWORDS } from '../../support/simulators/keystone';
import { type CloudFaces, startCloudFaces } from '../../support/simulators/startCloudFaces';
import { waitUntil } from '../../support/wait';
import { describeWithNamespaces } from '../../support/withServers';
import { type NovaFace, type ShownServer, startNovaFace } from './novaFace';

/** Milliseconds: this host may be busy. */
const PATIENCE = 60_000;
const ROOT = join(__dirname, '../../..');

interface Told {
  readonly meta: { readonly uuid: string; readonly name: string };
  readonly network: { readonly links: readonly { readonly ethernet_mac_address: string; readonly mtu: number }[] };
  readonly boots: number;
}

describeWithNamespaces('the compute hosts of a lab', () => {
  let cloud: CloudFaces;
  let nova: NovaFace;
  let controller: Server;
  let stateDir: string;
  let hosts: ChildProcess;
  const topology = createTopology();
  /** What engines have told the controller, the latest last. */
  const told: Told[] = [];
  const names = () => namesOf(stateDir);
  const model = () => cloud.network.model;

  beforeAll(async () => {
    nova = await startNovaFace();
    cloud = await startCloudFaces([{ type: 'compute', name: 'nova', url: nova.url }]);
    controller = createServer((socket) => {
      let text = '';
      socket.on('error', () => undefined).setEncoding('utf8');
      socket.on('data', (part: string) => {
        text += part;
        if (text.endsWith('\n')) told.push(JSON.parse(text));
      });
    });
    await new Promise<void>((resolve) => controller.listen(0, '127.0.0.1', resolve));
    stateDir = mkdtempSync(join(tmpdir(), 'slipstream-hosts-'));
    await addNetwork('management', '10.251.0.0/24', 1400);
    await addNetwork('management of others', '10.251.1.0/24');
    hosts = startHosts();
  });

  afterAll(async () => {
    await endHosts('SIGTERM');
    await topology.dispose();
    spawnSync(process.execPath, [...program(), '--down']);
    rmSync(stateDir, { recursive: true, force: true });
    controller.close();
    await nova.close();
    await cloud.close();
  });

  function program(): string[] {
    return [join(ROOT, 'devstack/run-ts.cjs'), join(ROOT, 'devstack/lab/hosts/main.ts'), '--config', configFile()];
  }

  function configFile(): string {
    const file = join(stateDir, 'config.json');
    const { port } = controller.address() as AddressInfo;
    const config = {
      auth: { url: cloud.authUrl, username: 'admin', password: PASSWORDS.admin, projectName: 'admin' },
      stateDir,
      interval: 200,
      management: [
        { network: 'management', forwards: [{ port: 5555, to: port }] },
        { network: 'management of others', forwards: [{ port: 5556, to: port }] },
      ],
      agent: { command: [process.execPath, join(__dirname, 'engine.cjs')] },
    };
    writeFileSync(file, JSON.stringify(config));
    return file;
  }

  function startHosts(): ChildProcess {
    return spawn(process.execPath, program(), { stdio: ['ignore', 'ignore', 'inherit'] });
  }

  async function endHosts(signal: NodeJS.Signals): Promise<void> {
    if (hosts.exitCode !== null || hosts.signalCode !== null) return;
    const ended = new Promise((resolve) => hosts.once('exit', resolve));
    hosts.kill(signal);
    await ended;
  }

  async function addNetwork(name: string, cidr: string, mtu = 1500, external = false): Promise<string> {
    const { id } = await createNetwork(model(), { name, projectId: 'p', mtu, external });
    await createSubnet(model(), { name, projectId: 'p', networkId: id, cidr, enableDhcp: false });
    return id;
  }

  function idOf(network: string): string {
    return [...model().networks.all()].find(({ name }) => name === network)?.id ?? '';
  }

  function addPort(networkId: string, port: Partial<NewPort> = {}): Promise<PortRecord> {
    return createPort(model(), { name: '', projectId: 'p', networkId, ...port });
  }

  /** An engine with a port in a management network. */
  async function bootEngine(server: Partial<ShownServer> = {}, network = 'management'): Promise<ShownServer> {
    const shown = nova.boot({ metadata: { AVICNTRL: '10.251.0.1', port: '5555' }, ...server });
    await addPort(idOf(network), { deviceId: shown.id, deviceOwner: 'compute:nova' });
    return shown;
  }

  const tellings = ({ id }: ShownServer) => told.filter(({ meta }) => meta.uuid === id);
  const state = (): HostsState => JSON.parse(readFileSync(join(stateDir, 'status.json'), 'utf8'));
  /** Of the machine's first process, once the hosts have said it. */
  async function pidOf({ id }: ShownServer): Promise<number> {
    const find = () => state().servers.find((server) => server.id === id)?.pid ?? 0;
    await waitUntil('its process is known', PATIENCE, () => find() > 0);
    return find();
  }

  const namespaces = () => readdirSync('/run/netns');
  const isThere = (namespace: string) => namespaces().includes(namespace);

  function runIn(namespace: string, ...words: string[]): string {
    return execFileSync('ip', ['netns', 'exec', namespace, ...words], { encoding: 'utf8', timeout: 30_000 });
  }

  function endpoint(port: PortRecord): string {
    return names().node('ep', port.id);
  }

  /** Whether one answers a ping of the other. */
  function reaches(from: string, address: string): boolean {
    return spawnSync('ip', ['netns', 'exec', from, 'ping', '-c', '1', '-W', '1', address]).status === 0;
  }

  function macsIn(namespace: string): string[] {
    const links: { address: string }[] = JSON.parse(runIn(namespace, 'ip', '-json', 'link', 'show'));
    return links.map(({ address }) => address);
  }

  it('boots an engine that learns from the metadata service who it is, and calls its controller', async () => {
    const engine = await bootEngine({ name: 'by-metadata' });

    await waitUntil('the engine calls', PATIENCE, () => tellings(engine).length > 0);

    const [{ meta, network }] = tellings(engine) as [Told];
    expect(meta.name).toBe('by-metadata');
    expect(network.links).toHaveLength(1);
    expect(network.links[0]?.mtu).toBe(1400);
    nova.remove(engine);
  });

  it('does the same in the management network of another installation', async () => {
    const metadata = { AVICNTRL: '10.251.1.1', port: '5556' };
    const engine = await bootEngine({ name: 'of-others', metadata }, 'management of others');

    await waitUntil('the engine calls', PATIENCE, () => tellings(engine).length > 0);

    expect(tellings(engine)[0]?.meta.name).toBe('of-others');
    nova.remove(engine);
  });

  it('gives an engine its config drive, and no address that is not its own to set', async () => {
    const engine = await bootEngine({ name: 'by-drive', config_drive: 'True' });

    await waitUntil('the engine calls', PATIENCE, () => tellings(engine).length > 0);

    expect(tellings(engine)[0]?.meta.name).toBe('by-drive');
    nova.remove(engine);
  });

  it('plugs a port in while the engine runs, and out again from wherever the engine has moved it to', async () => {
    const engine = await bootEngine();
    const namespace = names().node('vm', engine.id);
    await waitUntil('the engine calls', PATIENCE, () => tellings(engine).length > 0);
    const data = await addNetwork('data', '10.252.0.0/24', 1450);

    const port = await addPort(data, { deviceId: engine.id, deviceOwner: 'compute:nova' });
    await waitUntil('the port is plugged in', PATIENCE, () => macsIn(namespace).includes(port.mac_address));
    const domain = await topology.namespace('domain');
    runIn(namespace, 'ip', 'link', 'set', `e${deviceOf(port)}`, 'netns', domain.name);
    await updatePort(model(), port.id, { device_id: '', device_owner: '' });
    await waitUntil('the port is out again', PATIENCE, () => !macsIn(domain.name).includes(port.mac_address));

    expect(macsIn(namespace)).not.toContain(port.mac_address);
    nova.remove(engine);
  });

  it('starts an engine anew at a reboot, with the same disk, and without it at a rebuild', async () => {
    const engine = await bootEngine();
    await waitUntil('the engine calls', PATIENCE, () => tellings(engine).length === 1);

    nova.act(engine, 'reboot');
    await waitUntil('the engine calls again', PATIENCE, () => tellings(engine).length === 2);
    nova.act(engine, 'rebuild');
    await waitUntil('the engine calls once more', PATIENCE, () => tellings(engine).length === 3);

    expect(tellings(engine).map(({ boots }) => boots)).toEqual([1, 2, 1]);
    nova.remove(engine);
  });

  it('switches a stopped engine off, and everything of a deleted one away', async () => {
    const engine = await bootEngine();
    const namespace = names().node('vm', engine.id);
    await waitUntil('the engine calls', PATIENCE, () => tellings(engine).length === 1);
    const pid = await pidOf(engine);

    nova.act(engine, 'stop', 'SHUTOFF');
    await waitUntil('it is off', PATIENCE, () => !isThere(namespace));
    expect(identify(pid)).toBeNull();
    nova.act(engine, 'start', 'ACTIVE');
    await waitUntil('it calls again', PATIENCE, () => tellings(engine).length === 2);
    nova.remove(engine);
    await waitUntil('it is gone', PATIENCE, () => !isThere(namespace));

    expect(readdirSync(join(stateDir, 'servers'))).not.toContain(engine.id);
  });

  it('lets a paused engine stand still, and go on where it was', async () => {
    const engine = await bootEngine();
    await waitUntil('the engine calls', PATIENCE, () => tellings(engine).length === 1);
    const outer = await pidOf(engine);
    const inner = Number(readFileSync(`/proc/${outer}/task/${outer}/children`, 'utf8'));
    const isStopped = () => /^State:\s+T/m.test(readFileSync(`/proc/${inner}/status`, 'utf8'));

    nova.act(engine, 'pause', 'PAUSED');
    await waitUntil('it stands still', PATIENCE, isStopped);
    nova.act(engine, 'unpause', 'ACTIVE');
    await waitUntil('it goes on', PATIENCE, () => !isStopped());

    expect(tellings(engine)).toHaveLength(1);
    nova.remove(engine);
  });

  it('lets a port use its own address and those of its pairs, and no other', async () => {
    const network = await addNetwork('spoofing', '10.253.0.0/24');
    const group = await openGroup();
    const [one, other] = [await addEndpoint(network, group), await addEndpoint(network, group)];
    runIn(endpoint(other), 'ip', 'address', 'add', '10.253.0.200/24', 'dev', `e${deviceOf(other)}`);

    await waitUntil('they reach each other', PATIENCE, () => reaches(endpoint(one), addressOf(other)));
    expect(reaches(endpoint(one), '10.253.0.200')).toBe(false);
    await updatePort(model(), other.id, { allowed_address_pairs: [{ ip_address: '10.253.0.200' }] });
    await waitUntil('the pair is in force', PATIENCE, () => reaches(endpoint(one), '10.253.0.200'));
    await updatePort(model(), other.id, { allowed_address_pairs: [] });
    await waitUntil('the pair is out of force', PATIENCE, () => !reaches(endpoint(one), '10.253.0.200'));

    await removePorts(one, other);
  });

  it('lets in what security groups allow, and answers', async () => {
    const network = await addNetwork('groups', '10.254.0.0/24');
    const { id: closed } = await createSecurityGroup(model(), { name: 'closed', projectId: 'p' });
    const [client, server] = [await addEndpoint(network, closed), await addEndpoint(network, closed)];
    expect(reaches(endpoint(client), addressOf(server))).toBe(false);

    await addRule(model(), closed, { direction: 'ingress', ethertype: 'IPv4', protocol: 'icmp' });
    await waitUntil('the rule is in force', PATIENCE, () => reaches(endpoint(client), addressOf(server)));

    await removePorts(client, server);
  });

  it('routes between networks, and from a floating IP to its port', async () => {
    const group = await openGroup();
    const [inner, outer] = [
      await addNetwork('inner', '192.168.77.0/24'),
      await addNetwork('outer', '192.168.78.0/24', 1500, true),
    ];
    const router = {
      deviceId: 'router-1',
      deviceOwner: 'network:router_interface',
      fixedIps: [{ ipAddress: '192.168.77.1' }],
    };
    await addPort(inner, router);
    await addPort(outer, { deviceId: 'router-1', deviceOwner: 'network:router_gateway' });
    const [server, client] = [await addEndpoint(inner, group), await addEndpoint(outer, group)];
    const floating = await createFloatingIp(model(), { projectId: 'p', floatingNetworkId: outer, portId: server.id });

    await waitUntil('it is reached', PATIENCE, () => reaches(endpoint(client), floating.floating_ip_address));
    expect(reaches(endpoint(server), addressOf(client))).toBe(true);

    await removePorts(server, client);
  });

  it('finds everything again when it was killed, and nothing is left when it ends', async () => {
    const engine = await bootEngine();
    await waitUntil('the engine calls', PATIENCE, () => tellings(engine).length === 1);
    const pid = await pidOf(engine);

    await endHosts('SIGKILL');
    rmSync(join(stateDir, 'status.json'));
    hosts = startHosts();
    await waitUntil('it sees the engine', PATIENCE, () => readdirSync(stateDir).includes('status.json'));
    expect(await pidOf(engine)).toBe(pid);
    await endHosts('SIGTERM');

    expect(namespaces().filter((name) => name === names().fabric || names().parse(name))).toEqual([]);
    expect(identify(pid)).toBeNull();
    expect(hosts.exitCode).toBe(0);
  });

  async function openGroup(): Promise<string> {
    const { id } = await createSecurityGroup(model(), { name: 'open', projectId: 'p' });
    await addRule(model(), id, { direction: 'ingress', ethertype: 'IPv4' });
    return id;
  }

  async function addEndpoint(network: string, group: string): Promise<PortRecord> {
    const port = await addPort(network, { deviceOwner: 'slipstream-lab:test', securityGroups: [group] });
    await waitUntil('the endpoint is there', PATIENCE, () => {
      const namespace = endpoint(port);
      return isThere(namespace) && runIn(namespace, 'ip', 'address').includes(`${addressOf(port)}/`);
    });
    return port;
  }

  async function removePorts(...ports: PortRecord[]): Promise<void> {
    for (const { id } of ports) await deletePort(model(), id);
  }
});

function addressOf({ fixed_ips: [ip] }: PortRecord): string {
  return ip?.ip_address ?? '';
}

function deviceOf({ id }: PortRecord): string {
  return id.replaceAll('-', '').slice(0, 13);
}
