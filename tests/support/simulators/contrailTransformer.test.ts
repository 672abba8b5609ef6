import { randomUUID } from 'node:crypto';
import { type ContrailSimulator, startContrailSimulator } from './contrail';
import { memberOf } from './contrail/json';
import { type ContrailClient, contrailClient } from './contrailClient';
import { waitUntil } from './waitUntil';

/** Longest wait for what the schema transformer does. */
const SOON = 30_000;

describe('the schema transformer of the Contrail simulator', () => {
  let contrail: ContrailSimulator;
  let client: ContrailClient;
  let clock = 0;
  const project = ['default-domain', 'tenant'];
  const network = [...project, 'net'];

  const start = async (settle = 10): Promise<void> => {
    clock = 0;
    contrail = await startContrailSimulator({ settle, now: () => clock });
    client = contrailClient(contrail.url);
    await client.make('project', { fq_name: project, parent_type: 'domain' });
    const ipam_subnets = [{ subnet: { ip_prefix: '10.1.0.0', ip_prefix_len: 24 } }];
    const ipam = { to: ['default-domain', 'default-project', 'default-network-ipam'], attr: { ipam_subnets } };
    await client.make('virtual-network', { fq_name: network, parent_type: 'project', network_ipam_refs: [ipam] });
  };
  afterEach(() => contrail.close());

  const addPort = async (name: string, address?: string, owner = project): Promise<string> => {
    const fq_name = [...owner, name];
    const virtual_network_refs = [{ to: network }];
    const id = await client.make('virtual-machine-interface', {
      fq_name,
      parent_type: 'project',
      virtual_network_refs,
    });
    if (address !== undefined) await addAddress(fq_name, address);
    return id;
  };
  const addAddress = (port: readonly string[], address: string): Promise<string> =>
    client.make('instance-ip', {
      fq_name: [randomUUID()],
      instance_ip_address: address,
      virtual_network_refs: [{ to: network }],
      virtual_machine_interface_refs: [{ to: port }],
    });
  const addService = (name: string, autonomous_system?: number): Promise<string> => {
    const system = autonomous_system === undefined ? {} : { autonomous_system };
    return client.make('bgp-as-a-service', { fq_name: [...project, name], parent_type: 'project', ...system });
  };
  const join = (service: string, port: string) =>
    client.link('ADD', ['bgp-as-a-service', service], ['virtual-machine-interface', port]);
  const leave = (service: string, port: string) =>
    client.link('DELETE', ['bgp-as-a-service', service], ['virtual-machine-interface', port]);
  const routerOf = (port: string) => {
    const uuid = contrail.store.get('virtual-machine-interface', port)?.refs['bgp-router']?.[0]?.uuid;
    return uuid === undefined ? undefined : contrail.store.get('bgp-router', uuid);
  };
  const hasRouter = (port: string) => waitUntil(() => routerOf(port) !== undefined, SOON);
  let others = 0;
  /** A port that joins later has its router: the transformer has looked at everything before it. */
  const passTime = async (): Promise<void> => {
    others += 1;
    const port = await addPort(`other-${others}`);
    clock += 10_000;
    await join(await addService(`other-${others}`, 65_000), port);
    await hasRouter(port);
  };

  it('gives each port of a BGPaaS a router with its address, and takes it when the port leaves', async () => {
    await start();
    const [port, service] = [await addPort('a', '10.1.0.11'), await addService('bgp', 65_001)];
    clock += 10_000;
    await join(service, port);
    await hasRouter(port);
    const router = routerOf(port);

    expect(router?.fqName).toEqual([...network, 'net', 'a']);
    expect(router?.properties['bgp_router_parameters']).toMatchObject({
      ...{ address: '10.1.0.11', identifier: '10.1.0.11', autonomous_system: 65_001, router_type: 'bgpaas-client' },
      ...{ source_port: 50_000, gateway_address: '10.1.0.254' },
    });
    expect((await client.call('DELETE', `/virtual-machine-interface/${port}`)).status).toBe(409);

    await leave(service, port);
    await waitUntil(() => routerOf(port) === undefined, SOON);
    expect(contrail.store.get('bgp-router', router?.uuid ?? '')).toBeUndefined();
  });

  it('never gives a router to a port that joined before it was heard of, until it goes and comes again', async () => {
    await start();
    const [port, service] = [await addPort('a'), await addService('bgp', 65_001)];
    await join(service, port);
    await passTime();
    await join(service, port);
    await client.call('PUT', `/bgp-as-a-service/${service}`, { 'bgp-as-a-service': { autonomous_system: 65_002 } });
    await passTime();
    expect(routerOf(port)).toBeUndefined();

    await leave(service, port);
    await passTime();
    await join(service, port);
    await hasRouter(port);
  });

  it('takes out and in at once for no change', async () => {
    await start(1_000);
    const [port, service] = [await addPort('a'), await addService('bgp', 65_001)];
    await join(service, port);
    await passTime();
    await leave(service, port);
    await join(service, port);
    await passTime();

    expect(routerOf(port)).toBeUndefined();
  });

  it('looks at a port it passed over when another one joins', async () => {
    await start();
    const [port, service] = [await addPort('a'), await addService('bgp', 65_001)];
    await join(service, port);
    await passTime();
    const other = await addPort('b');
    clock += 10_000;
    await join(service, other);

    await hasRouter(other);
    await hasRouter(port);
  });

  it('leaves a port of two BGPaaS with the first, and with none when the first lets go', async () => {
    await start();
    const [port, first] = [await addPort('a'), await addService('one', 65_001)];
    const second = await addService('two', 65_002);
    clock += 10_000;
    await join(first, port);
    await hasRouter(port);
    await join(second, port);
    await passTime();
    expect(contrail.store.get('bgp-as-a-service', second)?.refs['bgp-router']).toBeUndefined();

    await leave(first, port);
    await waitUntil(() => routerOf(port) === undefined, SOON);
    await passTime();
    expect(routerOf(port)).toBeUndefined();
  });

  it('gives the second of two ports of one name in a network no router', async () => {
    await start();
    await client.make('project', { fq_name: ['default-domain', 'other'], parent_type: 'domain' });
    const ours = await addPort('engine');
    const theirs = await addPort('engine', undefined, ['default-domain', 'other']);
    const service = await addService('bgp', 65_001);
    clock += 10_000;
    await join(service, ours);
    await hasRouter(ours);
    await join(service, theirs);
    await passTime();

    expect(routerOf(theirs)).toBeUndefined();
  });

  it('makes nothing of a BGPaaS without an AS, and nothing when no port of the pool is free', async () => {
    await start();
    const [one, two] = [await addPort('a'), await addPort('b')];
    const [without, crowded] = [await addService('without'), await addService('crowded', 65_001)];
    clock += 10_000;
    await join(without, one);
    await passTime();
    contrail.faults.noFreeBgpPort = true;
    await join(crowded, two);
    const before = contrail.requests.length;
    await waitUntil(async () => {
      await client.call('GET', '/aaa-mode');
      return contrail.requests.length > before + 20;
    }, SOON);
    contrail.faults.noFreeBgpPort = false;
    await passTime();

    expect([routerOf(one), routerOf(two)]).toEqual([undefined, undefined]);
  });

  it("fills in a router's address when the port gets one", async () => {
    await start();
    const [port, service] = [await addPort('a'), await addService('bgp', 65_001)];
    clock += 10_000;
    await join(service, port);
    await hasRouter(port);
    expect(routerOf(port)?.properties['bgp_router_parameters']).toMatchObject({ address: null });

    await addAddress([...project, 'a'], '10.1.0.7');
    const address = () => memberOf(routerOf(port)?.properties['bgp_router_parameters'], 'address');
    await waitUntil(() => address() === '10.1.0.7', SOON);
  });

  it('does nothing while it is stopped, and catches up', async () => {
    await start();
    const [port, service] = [await addPort('a'), await addService('bgp', 65_001)];
    clock += 10_000;
    contrail.faults.transformerStopped = true;
    await join(service, port);
    expect(routerOf(port)).toBeUndefined();

    contrail.faults.transformerStopped = false;
    await hasRouter(port);
  });
});
