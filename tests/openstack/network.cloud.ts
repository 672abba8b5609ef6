import { createNeutronDriver } from '../../driver/clouds/network/http';
import { describeKnowingNetworkDriver, describeNetworkDriver, type NetworkTwin } from '../contracts/networkSuite';
import { logIn, type Session } from './clients/session';
import { readLab } from './lab';
import { openServices, type Services } from './services';

const PREFIX = '10.77.';

/** The contract of the network port, as the real Neutron keeps it. Each test has a network of its own. */
let services: Services;
let demo: Session;
beforeAll(async () => {
  const lab = readLab();
  services = openServices(lab);
  demo = await logIn(lab.person('demo', 'demo'));
});
afterAll(() => services?.close());

const NEUTRON: NetworkTwin = {
  name: 'Neutron',
  open: async () => {
    const driver = createNeutronDriver(services.open('Neutron', 'network'));
    const { network } = await demo.ask('network', 'POST', '/v2.0/networks', { network: { name: 'contract' } });
    const { subnet } = await demo.ask('network', 'POST', '/v2.0/subnets', {
      subnet: { network_id: network.id, ip_version: 4, cidr: `${PREFIX}0.0/16`, enable_dhcp: false },
    });
    const close = async (): Promise<void> => {
      const { ports } = await demo.ask('network', 'GET', `/v2.0/ports?network_id=${network.id}`);
      for (const { id } of ports) await demo.ask('network', 'DELETE', `/v2.0/ports/${id}`);
      await demo.ask('network', 'DELETE', `/v2.0/networks/${network.id}`);
      for (const { id } of await driver.listSecurityGroups({ description: 'mark of ours' })) {
        await driver.deleteSecurityGroup(id);
      }
    };
    const { projectId } = demo;
    return { driver, networkId: network.id, subnetId: subnet.id, prefix: PREFIX, projectId, many: 8, close };
  },
};

describeNetworkDriver(NEUTRON);
describeKnowingNetworkDriver(NEUTRON);
