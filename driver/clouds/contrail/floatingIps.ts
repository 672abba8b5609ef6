import { z } from 'zod';
import type { FloatingIp, FloatingIpRequest } from './port';
import { addressesToTry, type IpamSubnet, subnetsOf } from './subnets';
import { idsOf, marked, markOf, referencesOf, textOf } from './views';
import { type FqName, type Vnc, type VncObject, VncRefusal } from './vnc';

const TYPE = 'floating-ip';
const PORT = 'virtual-machine-interface';
const FIELDS = {
  fields: ['floating_ip_address', 'floating_ip_fixed_ip_address', 'virtual_machine_interface_refs', 'annotations'],
};

/** A network that floating IPs are allocated in. It hardly changes: what was read is kept. */
interface Pool {
  readonly fqName: FqName;
  readonly subnets: readonly IpamSubnet[];
}

export function floatingIpCalls(vnc: Vnc) {
  const pools = new Map<string, Pool>();
  const projects = new Map<string, FqName>();
  return {
    async listFloatingIps(portIds: readonly string[]): Promise<readonly FloatingIp[]> {
      return (await vnc.list(TYPE, { refersTo: portIds }, FIELDS)).map(toFloatingIp);
    },
    async findFloatingIp(id: string): Promise<FloatingIp | undefined> {
      const found = await vnc.read(TYPE, id, FIELDS);
      return found && toFloatingIp(found);
    },
    async createFloatingIp(request: FloatingIpRequest): Promise<FloatingIp> {
      const { id, networkId, projectId } = request;
      const pool = pools.get(networkId) ?? (await findPool(vnc, networkId));
      pools.set(networkId, pool);
      const project = projects.get(projectId) ?? (await findProject(vnc, projectId));
      projects.set(projectId, project);
      const ports = await vnc.list(PORT, { ids: request.portIds }, { fields: ['display_name'] });
      const members = {
        project_refs: [{ to: project }],
        floating_ip_fixed_ip_address: request.fixedAddress,
        virtual_machine_interface_refs: ports.map(({ fq_name: to, uuid }) => ({ to, uuid })),
        ...marked(request.ownerId),
      };
      const fqName = [...pool.fqName, id];
      const object = { id, fqName, parentType: 'floating-ip-pool', members };
      const made = await createIn(vnc, { pool, request, object }).catch((error: unknown) => {
        // What was refused may be about how the network was.
        pools.delete(networkId);
        throw error;
      });
      if (made.made) {
        const portIds = ports.map(({ uuid }) => uuid);
        // The address is the API's choice, and nobody here has to know it.
        return { id, address: null, fixedAddress: request.fixedAddress, portIds, ownerId: request.ownerId };
      }
      const found = await vnc.read(TYPE, made.id, FIELDS);
      if (!found) throw new VncRefusal(404, `floating IP ${id} went as soon as it was made`);
      return toFloatingIp(found);
    },
    linkFloatingIp: (id: string, portId: string) => vnc.link({ type: TYPE, id, refType: PORT, refId: portId }),
    unlinkFloatingIp: (id: string, portId: string) => vnc.unlink({ type: TYPE, id, refType: PORT, refId: portId }),
    async setFixedAddress(id: string, address: string): Promise<void> {
      await vnc.update(TYPE, id, { floating_ip_fixed_ip_address: address });
    },
    deleteFloatingIp: (id: string) => vnc.remove(TYPE, id),
  };
}

function toFloatingIp(object: VncObject): FloatingIp {
  return {
    id: object.uuid,
    address: textOf(object, 'floating_ip_address'),
    fixedAddress: textOf(object, 'floating_ip_fixed_ip_address'),
    portIds: idsOf(object, 'virtual_machine_interface_refs'),
    ownerId: markOf(object),
  };
}

interface Creation {
  readonly pool: Pool;
  readonly request: FloatingIpRequest;
  readonly object: Parameters<Vnc['create']>[1];
}

/**
 * The API chooses an IPv4 address of any subnet. For IPv6, which it never chooses, and in a subnet of the caller's choice one
 * address is tried after another: vRouters drop a floating IP of another family than the address behind it.
 * @throws VncRefusal when no subnet is of that family, or none has an address left
 */
async function createIn(vnc: Vnc, { pool, request, object }: Creation): ReturnType<Vnc['create']> {
  const subnets = subnetsFor(pool, request);
  if (request.subnetId === null && familyOf(request.fixedAddress) === 4) return vnc.create(TYPE, object);
  for (const address of subnets.flatMap(addressesToTry)) {
    try {
      return await vnc.create(TYPE, { ...object, members: { ...object.members, floating_ip_address: address } });
    } catch (error) {
      const isTaken = error instanceof VncRefusal && error.status === 409;
      if (!isTaken) throw error;
    }
  }
  const where = request.subnetId === null ? `network ${request.networkId}` : `subnet ${request.subnetId}`;
  throw new VncRefusal(409, `${where} has no address left for a floating IP`);
}

/** Those that may have the floating IP. */
function subnetsFor({ subnets }: Pool, { subnetId, networkId, fixedAddress }: FloatingIpRequest): IpamSubnet[] {
  const asked = subnets.filter(({ id }) => subnetId === null || id === subnetId);
  if (subnetId !== null && asked.length === 0) {
    throw new VncRefusal(400, `subnet ${subnetId} is not of network ${networkId}`);
  }
  const family = familyOf(fixedAddress);
  const fitting = asked.filter(({ prefix }) => familyOf(prefix) === family);
  if (fitting.length > 0 || subnets.length === 0) return fitting;
  const where = subnetId === null ? `network ${networkId}` : `subnet ${subnetId}`;
  throw new VncRefusal(
    400,
    `${where} has no IPv${family} addresses: the floating IP of ${fixedAddress} has to be of its family, or vRouters drop it`,
  );
}

function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4;
}

async function findPool(vnc: Vnc, networkId: string): Promise<Pool> {
  const fields = ['floating_ip_pools', 'router_external', 'network_ipam_refs'];
  const network = await vnc.read('virtual-network', networkId, { fields });
  if (!network) throw new VncRefusal(400, `network ${networkId} (floating_network) is not there`);
  if (network['router_external'] !== true) {
    throw new VncRefusal(
      400,
      `network ${network.fq_name.at(-1)} (${networkId}) is not external: it has no floating IPs`,
    );
  }
  const named = referencesOf(network, 'floating_ip_pools');
  const pool = named.find(({ to }) => to.at(-1) === 'floating-ip-pool') ?? named[0];
  if (!pool) {
    throw new VncRefusal(400, `network ${networkId} has no pool of floating IPs: make it external through Neutron`);
  }
  return { fqName: pool.to, subnets: subnetsOf(network) };
}

const Dashed = z.string().transform((id) => {
  const hex = id.replaceAll('-', '');
  return hex.length === 32 ? hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') : id;
});

/** Asking for it makes the API take it over from Keystone. Of a name that was used before the API makes another one. */
async function findProject(vnc: Vnc, projectId: string): Promise<FqName> {
  const found = await vnc.read('project', Dashed.parse(projectId), { fields: ['display_name'] });
  if (!found) throw new VncRefusal(400, `Contrail and Keystone do not know project ${projectId}`);
  return found.fq_name;
}
