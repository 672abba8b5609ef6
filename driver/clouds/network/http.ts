import { NotFoundError, UnavailableError } from '../../domain/errors';
import type { OpenstackService } from '../openstack/service';
import { type Ask, accepted, createAsk, readIn } from './http/answers';
import { createFreeAddressCounter } from './http/freeAddresses';
import { fromChange, fromRequest, segment } from './http/requests';
import { securityGroupCalls } from './http/securityGroups';
import {
  ExtensionsView,
  NetworkView,
  PortsView,
  PortView,
  SubnetView,
  toNetwork,
  toPort,
  toSubnet,
} from './http/views';
import type { NetworkDriver, Port, PortFilter } from './port';

/** Ports of one page. */
const PAGE = 500;

/**
 * Neutron over its HTTP API v2.0, as an admin of the cloud. What Neutron refuses is a NeutronError with its status and
 * text. Whether there are QoS policies is asked once.
 */
export function createNeutronDriver(service: OpenstackService): NetworkDriver {
  const ask = createAsk(service);
  const find = async (path: string) => {
    const answer = await ask.any({ method: 'GET', path });
    return answer.status === 404 ? undefined : accepted(answer).body;
  };
  const exists = async (path: string): Promise<boolean> => (await find(path)) !== undefined;
  let qos: Promise<boolean> | undefined;
  return {
    acceptsAnything: false,
    findNetwork: async (id) =>
      map(await find(`/v2.0/networks/${segment(id)}`), (it) => toNetwork(readIn(it, NetworkView).network)),
    findSubnet: async (id) =>
      map(await find(`/v2.0/subnets/${segment(id)}`), (it) => toSubnet(readIn(it, SubnetView).subnet)),
    findPort: async (id) => map(await find(`/v2.0/ports/${segment(id)}`), (it) => toPort(readIn(it, PortView).port)),
    supportsQos: () => {
      qos ??= ask
        .ok({ method: 'GET', path: '/v2.0/extensions' })
        .then((body) => readIn(body, ExtensionsView).extensions.some(({ alias }) => alias === 'qos'))
        .catch((error) => {
          qos = undefined;
          throw error;
        });
      return qos;
    },
    hasQosPolicy: async (id) => exists(`/v2.0/qos/policies/${segment(id)}`),
    hasSecurityGroup: async (id) => exists(`/v2.0/security-groups/${segment(id)}?fields=id`),
    countFreeAddresses: createFreeAddressCounter(ask),
    createPort: async (request) =>
      toPort(readIn(await ask.ok({ method: 'POST', path: '/v2.0/ports', body: fromRequest(request) }), PortView).port),
    async updatePort(id, change, { ifRevision = null } = { ifRevision: null }) {
      const path = `/v2.0/ports/${segment(id)}`;
      const headers = ifRevision === null ? {} : { 'If-Match': `revision_number=${ifRevision}` };
      const answer = await ask.any({ method: 'PUT', path, body: fromChange(change), headers });
      if (answer.status === 404) throw new NotFoundError('Port', id);
      return toPort(readIn(accepted(answer).body, PortView).port);
    },
    async deletePort(id) {
      const answer = await ask.any({ method: 'DELETE', path: `/v2.0/ports/${segment(id)}` });
      if (answer.status !== 404) accepted(answer);
    },
    listPorts: (filter) => listPorts(ask, filter),
    ...securityGroupCalls(ask),
  };
}

async function listPorts(ask: Ask, filter: PortFilter): Promise<Port[]> {
  const { deviceId, deviceOwner, networkId, name, description, securityGroupId } = filter;
  const ports: Port[] = [];
  const query = new URLSearchParams({
    ...(deviceId === undefined ? {} : { device_id: deviceId }),
    ...(deviceOwner === undefined ? {} : { device_owner: deviceOwner }),
    ...(networkId === undefined ? {} : { network_id: networkId }),
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(securityGroupId === undefined ? {} : { security_groups: securityGroupId }),
    limit: String(PAGE),
    sort_key: 'id',
    sort_dir: 'asc',
  });
  for (;;) {
    const { ports: page } = readIn(await ask.ok({ method: 'GET', path: `/v2.0/ports?${query}` }), PortsView);
    ports.push(...page.map(toPort).filter((port) => meets(port, filter)));
    const last = page.at(-1);
    if (page.length < PAGE || !last) return ports;
    if (query.get('marker') === last.id) throw new UnavailableError('Neutron repeats a page of ports.');
    query.set('marker', last.id);
  }
}

/** Contrail's Neutron looks at some filters only, and gives everything for the others. */
function meets(port: Port, filter: PortFilter): boolean {
  const { deviceId, deviceOwner, networkId, name, description, securityGroupId } = filter;
  const is = (wanted: string | undefined, actual: string): boolean => wanted === undefined || wanted === actual;
  return (
    is(deviceId, port.deviceId) &&
    is(deviceOwner, port.deviceOwner) &&
    is(networkId, port.networkId) &&
    is(name, port.name) &&
    is(description, port.description) &&
    (securityGroupId === undefined || port.securityGroupIds.includes(securityGroupId))
  );
}

function map<T, U>(found: T | undefined, to: (value: T) => U): U | undefined {
  return found === undefined ? undefined : to(found);
}
