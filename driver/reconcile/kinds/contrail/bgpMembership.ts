import type { Interface } from '../../../clouds/contrail/port';
import { type BgpVnic, noteBgp } from '../../../db/bgpServices';
import { PassedThroughError } from '../../../domain/errors';
import { awaitRouter, type Joined, joinService } from '../../bgpRouters';
import { dropBgpService, keepBgpService } from '../../bgpServices';
import type { ContrailEngineClouds, ContrailEngineTarget } from '../../contrailEngineTarget';
import { NotYetError } from '../../engineRun';
import type { Kind } from '../../kind';

/** That a vNIC of an engine has sessions with the control nodes. */
export interface BgpMembership {
  readonly vnic: BgpVnic;
  readonly portId: string;
  /** The port is named by the service of the row, and has its router. */
  readonly inService: boolean;
  readonly hasRouter: boolean;
  /** Services that name the port and are not that one. */
  readonly others: readonly string[];
}

/**
 * Keeps the ports of an engine in the service of BGP of their network and group, as long as a load balancer on them is
 * announced. What stands in the way of one is noted: its load balancers are told, and it is seen to again.
 */
export const bgpMembership: Kind<BgpMembership, ContrailEngineTarget, ContrailEngineClouds> = {
  name: 'bgp-membership',
  key: ({ vnic }) => vnic.vnicId,
  desired: ({ engine, bgp }) =>
    engine.deleting
      ? []
      : bgp.flatMap((vnic) =>
          vnic.wanted && vnic.portId !== null
            ? [{ vnic, portId: vnic.portId, inService: true, hasRouter: true, others: [] }]
            : [],
        ),
  async observed({ bgp }, { interfaces }) {
    const recorded = bgp.filter(({ serviceId, portId }) => serviceId !== null && portId !== null);
    const found = recorded.length === 0 ? [] : await interfaces();
    return recorded.map((vnic) =>
      describe(
        vnic,
        found.find(({ id }) => id === vnic.portId),
      ),
    );
  },
  same: (_want, { vnic, inService, hasRouter, others }) =>
    inService && hasRouter && vnic.joined && vnic.trouble === null && others.length === 0,
  async put({ vnic, portId }, clouds, have) {
    const { run, notes } = clouds;
    const trouble = await joinIn(vnic, { portId, have }, clouds);
    if (trouble === undefined) return;
    await noteBgp(run.parts.db, vnic.vnicId, { ...trouble, joined: false });
    notes.troubles.push({ vnicId: vnic.vnicId, reason: trouble.trouble, passes: false });
  },
  remove: (item, clouds) => leave(item, clouds),
};

function describe(vnic: BgpVnic, found: Interface | undefined): BgpMembership {
  const services = found?.bgpServiceIds ?? [];
  return {
    vnic,
    portId: vnic.portId ?? '',
    inService: vnic.serviceId !== null && services.includes(vnic.serviceId),
    hasRouter: found?.hasBgpRouter ?? false,
    others: services.filter((id) => id !== vnic.serviceId),
  };
}

interface Trouble {
  readonly serviceId: string | null;
  readonly trouble: string;
}

/** Undefined when it is in, with a router. */
async function joinIn(
  vnic: BgpVnic,
  { portId, have }: { readonly portId: string; readonly have: BgpMembership | undefined },
  clouds: ContrailEngineClouds,
): Promise<Trouble | undefined> {
  const { run, contrail } = clouds;
  const { db } = run.parts;
  const { networkId, vnicId } = vnic;
  const port = (await clouds.interfaces()).find(({ id }) => id === portId);
  if (!port) return { serviceId: vnic.serviceId, trouble: `Contrail does not know port ${portId} yet` };
  try {
    const service = await keepBgpService(run, contrail, {
      networkId,
      port,
      again: have !== undefined && !have.inService,
    });
    const strange = port.bgpServiceIds.filter((id) => id !== service.id);
    if (strange.length > 0)
      return {
        serviceId: vnic.serviceId,
        trouble: `port ${portId} is in another BGP service, ${strange[0]}: it would have no session here`,
      };
    await noteBgp(db, vnicId, { serviceId: service.id, joined: vnic.joined, trouble: vnic.trouble });
    const joined: Joined = await joinService({ run, contrail, service, portId, isMember: have?.inService ?? false });
    if (joined.kind === 'failed') return { serviceId: service.id, trouble: joined.reason };
    await noteBgp(db, vnicId, { serviceId: service.id, joined: true, trouble: null });
    return undefined;
  } catch (error) {
    if (!(error instanceof PassedThroughError)) throw error;
    return { serviceId: vnic.serviceId, trouble: error.message };
  }
}

/** Runs after which a router that does not go keeps the port no longer. */
const PATIENCE = 10;

async function leave({ vnic, portId }: BgpMembership, { run, contrail }: ContrailEngineClouds): Promise<void> {
  const { serviceId, vnicId } = vnic;
  const { parts, engine } = run;
  if (serviceId === null) return;
  await contrail.driver.leaveBgpService(serviceId, portId);
  const gone = await awaitRouter(run, contrail, { portId, there: false });
  if (!gone && engine.attempts < PATIENCE) throw new NotYetError(`port ${portId} still has its BGP router`);
  // As long as the row names the service, a run that dies here is taken up again.
  await dropBgpService(run, contrail, { serviceId, leaving: vnicId });
  await noteBgp(parts.db, vnicId, { serviceId: null, joined: false, trouble: null });
}
