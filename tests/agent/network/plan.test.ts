import { readLinks, readRoutes, readRules } from '../../../driver/agent/network/ip';
import { bringLinksAbout } from '../../../driver/agent/network/links';
import { planLinks, planRouting } from '../../../driver/agent/network/plan';
import { type Vip, type Wanted, wantedOf } from '../../../driver/agent/network/wanted';
import type { DomainSpec } from '../../../driver/protocol/engineSpec';
import { createTopology, type Namespace } from '../../support/namespaces';
import { aVnic } from '../../support/networkEngine';
import { describeWithNamespaces } from '../../support/withServers';

const FRONT = aVnic({ id: 'front', macAddress: 'fa:16:3e:00:00:01', addresses: ['10.0.0.5/24', 'fd00:0:0::5/64'] });
const BACK = aVnic({
  id: 'back',
  macAddress: 'fa:16:3e:00:00:02',
  mtu: 1400,
  addresses: ['10.1.0.5/16', 'fd01::5/64'],
});

const DOMAIN: DomainSpec = {
  id: 'domain-1',
  vnics: [FRONT, BACK],
  routes: [
    { destination: '0.0.0.0/0', nextHop: '10.0.0.1', vnicId: 'front', metric: 0 },
    { destination: '::/0', nextHop: 'fe80::1', vnicId: 'front', metric: 0 },
    { destination: '0.0.0.0/0', nextHop: '10.1.0.1', vnicId: 'back', metric: 30_000 },
    { destination: '192.168.7.9/16', nextHop: '169.254.3.1', vnicId: 'back', metric: 100 },
    { destination: '192.168.7.9/32', nextHop: '10.1.0.1', vnicId: 'back', metric: 100 },
    { destination: 'fd07::/48', nextHop: 'fd01::1', vnicId: 'back', metric: 100 },
  ],
};
const VIPS: Vip[] = [
  { address: '10.0.0.100', answered: true },
  { address: 'fd00:0:0:0::0100', answered: true },
  { address: '203.0.113.7', answered: true },
  { address: '10.0.0.101', answered: false },
  { address: 'fd00::101', answered: false },
];

/** What would be done about the namespace now. */
async function planned({ name }: Namespace, wanted: Wanted): Promise<string[]> {
  const families = [4, 6] as const;
  const links = await readLinks(name);
  const routes = await Promise.all(
    families.map(async (family) => (await readRoutes(name, family)).map((route) => ({ ...route, family }))),
  );
  const rules = await Promise.all(
    families.map(async (family) => (await readRules(name, family)).map((rule) => ({ ...rule, family }))),
  );
  const present = new Set(links.map(({ ifname }) => ifname));
  const steps = [
    ...planLinks(wanted, links),
    ...planRouting(wanted, { routes: routes.flat(), rules: rules.flat() }, present),
  ];
  return steps.map(({ words }) => words);
}

describeWithNamespaces('bringing interfaces and routes about', () => {
  const topology = createTopology('ss-plan');
  let namespace: Namespace;

  beforeAll(async () => {
    const network = await topology.network('net');
    namespace = await topology.namespace('vm');
    await network.plug(namespace, { name: 'vfa163e000001', macAddress: FRONT.macAddress, up: false });
    await network.plug(namespace, { name: 'vfa163e000002', macAddress: BACK.macAddress, up: false });
  });
  afterAll(() => topology.dispose());

  it('leaves nothing to be done, whatever forms addresses are written in', async () => {
    const wanted = wantedOf(DOMAIN, VIPS);
    const { failures } = await bringLinksAbout(namespace.name, wanted);
    expect([...failures.values()]).toEqual([]);
    expect(await planned(namespace, wanted)).toEqual([]);
  });

  it('puts right what has been changed, and leaves alone what is not its own', async () => {
    const wanted = wantedOf(DOMAIN, VIPS);
    await namespace.ip('address', 'add', '10.0.0.9/24', 'dev', 'vfa163e000001');
    await namespace.ip('address', 'delete', '10.1.0.5/16', 'dev', 'vfa163e000002');
    await namespace.ip('link', 'set', 'vfa163e000001', 'mtu', '1300');
    await namespace.ip('route', 'add', '172.16.0.0/12', 'via', '10.0.0.1', 'proto', 'bird');
    await namespace.ip('rule', 'add', 'from', '10.7.0.0/16', 'lookup', '77', 'pref', '500');
    await bringLinksAbout(namespace.name, wanted);

    expect(await planned(namespace, wanted)).toEqual([]);
    expect(await namespace.ip('address')).not.toContain('10.0.0.9');
    expect(await namespace.ip('route', 'show', 'proto', 'bird')).toContain('172.16.0.0/12');
    expect(await namespace.ip('rule')).toContain('from 10.7.0.0/16 lookup 77');
  });

  it('changes a route in its place, and takes away what is not wanted any more', async () => {
    const routes = [{ destination: '0.0.0.0/0', nextHop: '10.0.0.2', vnicId: 'front', metric: 0 }];
    const wanted = wantedOf({ ...DOMAIN, vnics: [FRONT], routes }, []);
    const steps = await planned(namespace, wanted);
    expect(steps).toContain('route replace 0.0.0.0/0 via 10.0.0.2 dev vfa163e000001 table 254 proto static');
    expect(steps.filter((words) => words.startsWith('route delete 0.0.0.0/0 via 10.0.0.1 dev vfa163e000001'))).toEqual(
      [],
    );
    await bringLinksAbout(namespace.name, wanted);
    expect(await planned(namespace, wanted)).toEqual([]);
    expect((await namespace.ip('route', 'show', 'proto', 'static')).trim()).toBe(
      'default via 10.0.0.2 dev vfa163e000001',
    );
  });

  it('tells what the kernel refuses, and does the rest', async () => {
    const routes = [
      { destination: '10.5.0.0/16', nextHop: '224.0.0.1', vnicId: 'front', metric: 100 },
      { destination: '10.6.0.0/16', nextHop: '10.0.0.6', vnicId: 'front', metric: 100 },
    ];
    const { failures } = await bringLinksAbout(namespace.name, wantedOf({ ...DOMAIN, vnics: [FRONT], routes }, []));
    const told = [...failures].map(([{ vnicId, words }, reason]) => [vnicId, words.split(' table ')[0], reason]);
    const refused = 'route replace 10.5.0.0/16 via 224.0.0.1 dev vfa163e000001';
    expect(told[0]).toEqual(['front', refused, expect.stringMatching(/\w/)]);
    expect(await namespace.ip('route')).toContain('10.6.0.0/16 via 10.0.0.6');
  });
});
