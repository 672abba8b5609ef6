import { ensureHealthCheck, HEALTH_CHECK } from './healthChecks';
import type { BgpGlobals, BgpPlace, BgpServiceRequest, BgpServiceView } from './port';
import { subnetsOf } from './subnets';
import { idsOf, marked, markOf, numberOf } from './views';
import { type Vnc, type VncObject, VncRefusal } from './vnc';

const TYPE = 'bgp-as-a-service';
const PORT = 'virtual-machine-interface';
const ATTRIBUTES = 'bgpaas_session_attributes';

/** Seconds that what is true of the whole cloud is kept. */
const KEPT = 60;
/** Ports of the sessions where the configuration does not say: 50000 to 50512. */
const DEFAULT_PORTS = { port_start: 50_000, port_end: 50_512 };
const DEFAULT_AS = 64_512;

export function bgpServiceCalls(vnc: Vnc, now: () => number) {
  const globals = kept(now, () => readGlobals(vnc));
  return {
    bgpGlobals: globals,
    async bgpPlaces(networkId: string): Promise<readonly BgpPlace[]> {
      const network = await vnc.read('virtual-network', networkId, { fields: ['network_ipam_refs'] });
      if (!network) throw new VncRefusal(404, `network ${networkId} is not there`);
      return subnetsOf(network).map(({ id: subnetId, gateway, dnsServer }) => ({ subnetId, gateway, dnsServer }));
    },
    async countBgpSessions(): Promise<number> {
      const services = await vnc.list(TYPE, 'all', { fields: ['bgp_router_refs'] });
      return services.reduce((sum, service) => sum + idsOf(service, 'bgp_router_refs').length, 0);
    },
    ensureBgpService: (request: BgpServiceRequest) => ensureService(vnc, request),
    async findBgpService(id: string): Promise<BgpServiceView | undefined> {
      const fields = ['autonomous_system', 'virtual_machine_interface_refs', 'bgp_router_refs', 'annotations'];
      const found = await vnc.read(TYPE, id, { fields });
      return found && toService(found);
    },
    joinBgpService: (id: string, portId: string) => vnc.link({ type: TYPE, id, refType: PORT, refId: portId }),
    leaveBgpService: (id: string, portId: string) => vnc.unlink({ type: TYPE, id, refType: PORT, refId: portId }),
    async deleteBgpService(id: string): Promise<void> {
      const found = await vnc.read(TYPE, id, { fields: ['service_health_check_refs'] });
      await vnc.remove(TYPE, id);
      for (const check of found ? idsOf(found, 'service_health_check_refs') : []) await vnc.remove(HEALTH_CHECK, check);
    },
  };
}

function toService(object: VncObject): BgpServiceView {
  return {
    id: object.uuid,
    localAs: numberOf(object, 'autonomous_system'),
    portIds: idsOf(object, 'virtual_machine_interface_refs'),
    routers: idsOf(object, 'bgp_router_refs').length,
    ownerId: markOf(object),
  };
}

/** As they are now. */
export async function readGlobals(vnc: Vnc): Promise<BgpGlobals> {
  const fields = ['autonomous_system', 'enable_4byte_as', 'bgpaas_parameters'];
  const [found] = await vnc.list('global-system-config', 'all', { fields });
  if (!found) throw new VncRefusal(404, 'there is no global-system-config');
  const ports = { ...DEFAULT_PORTS, ...(found['bgpaas_parameters'] as Partial<typeof DEFAULT_PORTS> | null) };
  return {
    autonomousSystem: numberOf(found, 'autonomous_system') ?? DEFAULT_AS,
    fourByteAs: found['enable_4byte_as'] === true,
    sessions: ports.port_end - ports.port_start + 1,
  };
}

async function ensureService(vnc: Vnc, request: BgpServiceRequest): Promise<string> {
  const { project, name, localAs, ownerId, bfd } = request;
  const members = {
    // A service without it stops the schema transformer.
    autonomous_system: localAs,
    bgpaas_shared: false,
    [ATTRIBUTES]: attributesOf(request),
  };
  const object = { id: request.id, fqName: [...project, name], parentType: 'project' };
  const { id, made } = await vnc.create(TYPE, { ...object, members: { ...members, ...marked(ownerId) } });
  if (!made) await vnc.update(TYPE, id, members);
  if (bfd !== null) {
    const check = await ensureHealthCheck(vnc, name, { project, check: bfd });
    await vnc.link({ type: TYPE, id, refType: HEALTH_CHECK, refId: check });
  } else if (!made) await dropChecks(vnc, id);
  return id;
}

/** Left from a time when sessions were to be watched. */
async function dropChecks(vnc: Vnc, id: string): Promise<void> {
  const found = await vnc.read(TYPE, id, { fields: ['service_health_check_refs'] });
  for (const refId of found ? idsOf(found, 'service_health_check_refs') : []) {
    await vnc.unlink({ type: TYPE, id, refType: HEALTH_CHECK, refId });
    await vnc.remove(HEALTH_CHECK, refId);
  }
}

function attributesOf({ holdTime, md5Secret }: BgpServiceRequest): object {
  return {
    address_families: { family: ['inet', 'inet6'] },
    hold_time: holdTime,
    ...(md5Secret !== null && { auth_data: { key_type: 'md5', key_items: [{ key_id: 0, key: md5Secret }] } }),
  };
}

function kept<T>(now: () => number, read: () => Promise<T>): () => Promise<T> {
  let last: { readonly at: number; readonly value: Promise<T> } | undefined;
  return () => {
    if (last && now() - last.at < KEPT * 1_000) return last.value;
    const value = read();
    const entry = { at: now(), value };
    last = entry;
    value.catch(() => {
      if (last === entry) last = undefined;
    });
    return value;
  };
}
