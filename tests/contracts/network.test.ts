import { randomUUID } from 'node:crypto';
import { createNoopNetwork } from '../../driver/clouds/network/noop';
import type { NetworkDriver } from '../../driver/clouds/network/port';
import { SEED_IDS } from '../../driver/clouds/network/seed';
import { startContrailCloud } from '../support/simulators/contrailCloud';
import { aNetworkCloud } from '../support/simulators/network';
import { startNeutronOverHttp } from '../support/simulators/neutronOverHttp';
import {
  describeKnowingNetworkDriver,
  describeNetworkDriver,
  type NetworkSite,
  type NetworkTwin,
} from './networkSuite';

const seeded = (driver: NetworkDriver, close = async (): Promise<void> => undefined): NetworkSite => ({
  driver,
  networkId: SEED_IDS.localNetwork,
  subnetId: SEED_IDS.localSubnet,
  prefix: '127.80.',
  projectId: 'project-demo',
  many: 50,
  close,
});

const MEMORY: NetworkTwin = {
  name: 'memory',
  open: async () => seeded((await aNetworkCloud('project-admin')).driver),
};
const HTTP: NetworkTwin = {
  name: 'http',
  open: async () => {
    const neutron = await startNeutronOverHttp();
    return seeded(neutron.driver, () => neutron.close());
  },
};
const CONTRAIL: NetworkTwin = {
  name: 'http, with Contrail behind Neutron',
  open: async () => {
    const cloud = await startContrailCloud();
    const projectId = cloud.projectId('demo');
    const network = await cloud.addNetwork({ name: 'tenant', projectId, cidr: '127.80.0.0/16' });
    return {
      ...{ driver: cloud.driver, ...network, prefix: '127.80.', projectId, many: 50 },
      ...{ withoutRevisions: true, ownWords: true },
      close: () => cloud.close(),
    };
  },
};
const NOOP: NetworkTwin = { name: 'noop', open: async () => seeded(createNoopNetwork()) };

for (const twin of [MEMORY, HTTP, CONTRAIL, NOOP]) describeNetworkDriver(twin);
for (const twin of [MEMORY, HTTP, CONTRAIL]) describeKnowingNetworkDriver(twin);

describe('a network driver that accepts anything (noop)', () => {
  it('finds whatever is looked for, always the same', async () => {
    const [one, other] = [createNoopNetwork(), createNoopNetwork()];
    const id = randomUUID();

    expect(one.acceptsAnything).toBe(true);
    expect((await one.findSubnet(id))?.networkId).toBe((await other.findSubnet(id))?.networkId);
    expect((await one.findPort(id))?.fixedIps).toEqual((await other.findPort(id))?.fixedIps);
    expect(await one.hasQosPolicy(id)).toBe(true);
    expect(await one.hasSecurityGroup(id)).toBe(true);
  });
});
