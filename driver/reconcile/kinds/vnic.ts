import { setTimeout as sleep } from 'node:timers/promises';
import { ENGINE_PORT_OWNER, type NetworkDriver, type Port } from '../../clouds/network/port';
import { recordVnicPort, type Vnic } from '../../db/vnics';
import { type Engine, enginePortDescription, managementPortName, vnicPortName } from '../../domain/engine';
import { InvalidReferenceError, NotFoundError, PassedThroughError, ServiceError } from '../../domain/errors';
import { CloudPausedError } from '../cloudPaused';
import { type EngineClouds, type EngineTarget, NotYetError, ownerTagOf, plugsPorts } from '../engineRun';
import { allAtOnce, type Kind } from '../kind';

/** An engine's port in a network. */
export interface EngineVnic {
  readonly engine: Engine;
  /** Null for a port of the engine that no row knows. */
  readonly vnic: Vnic | null;
  /** Null while there is none. */
  readonly port: Port | null;
  /** The server it is plugged into; null when it is in none, or nothing is plugged. */
  readonly pluggedInto: string | null;
  /** There is a server that it is not plugged into. */
  readonly unplugged: boolean;
}

/**
 * Keeps one port for each vNIC an engine needs, plugged into its server. The port belongs to nobody when it is made (Nova
 * refuses others) and bears its row's id in its name; it is unplugged before it is deleted. What is wrong with one vNIC
 * keeps none of the others: it is noted, and the unit sees to it again.
 */
export const engineVnic: Kind<EngineVnic, EngineTarget, EngineClouds> = {
  name: 'vnic',
  key: ({ vnic, port }) => vnic?.id ?? `port ${port?.id}`,
  desired: ({ engine, vnics }) =>
    engine.deleting
      ? []
      : vnics
          .filter(({ deleting }) => !deleting)
          .map((vnic) => ({ engine, vnic, port: null, pluggedInto: null, unplugged: true })),
  observed: async ({ engine, vnics }, clouds) => {
    const ports = await listEnginePorts(engine, clouds);
    const plugged = await listPlugged(clouds);
    const owners = new Map(vnics.map((vnic) => [choosePort(ports, vnic), vnic]));
    return ports.map((port) => {
      const pluggedInto = plugged.portIds.includes(port.id) && !port.bindingFailed ? plugged.serverId : null;
      const unplugged = pluggedInto === null && clouds.notes.server !== undefined && plugsPorts(clouds);
      return { engine, vnic: owners.get(port) ?? null, port, pluggedInto, unplugged };
    });
  },
  same: ({ vnic }, { port, unplugged }) =>
    !unplugged && vnic !== null && port !== null && isRecorded(vnic, port) && missingSubnets(vnic, port).length === 0,
  put: (want, clouds, have) => inPart(want, clouds, () => putVnic(want, clouds, have)),
  remove: (have, clouds) => inPart(have, clouds, () => removePort(have, clouds)),
  // Plugging takes seconds each, and a spare engine that takes over needs several.
  together: {
    put: (steps, clouds) =>
      allAtOnce(steps, ({ item, have }) => inPart(item, clouds, () => putVnic(item, clouds, have))),
    remove: (items, clouds) => allAtOnce(items, (have) => inPart(have, clouds, () => removePort(have, clouds))),
  },
};

/** Runs in a row after which a port that its server does not show is not being plugged in any more. */
const PATIENCE = 10;

/** By what they say of themselves, for whoever plugs them in writes into what they belong to. */
async function listEnginePorts(engine: Engine, clouds: EngineClouds): Promise<readonly Port[]> {
  const { network } = clouds;
  if (!plugsPorts(clouds)) return network.listPorts({ deviceOwner: ENGINE_PORT_OWNER, deviceId: engine.id });
  const ports = await network.listPorts({ description: enginePortDescription(ownerTagOf(clouds), engine.id) });
  return ports.filter(({ name }) => name !== managementPortName(engine.id));
}

interface Plugged {
  readonly serverId: string | null;
  readonly portIds: readonly string[];
}

async function listPlugged({ compute, notes: { server } }: EngineClouds): Promise<Plugged> {
  const nothing = { serverId: null, portIds: [] };
  if (!server || server.status === 'ERROR' || !compute.listServerPorts) return nothing;
  try {
    return { serverId: server.id, portIds: await compute.listServerPorts(server.id) };
  } catch (error) {
    if (error instanceof NotFoundError) return nothing;
    throw error;
  }
}

/** The recorded port if it is there; else one that a lost call made for this vNIC. */
function choosePort(ports: readonly Port[], vnic: Vnic): Port | undefined {
  return ports.find(({ id }) => id === vnic.portId) ?? ports.find(({ name }) => name === vnicPortName(vnic.id));
}

/** Notes what a cloud refuses about one vNIC. What is wrong with a cloud as a whole ends the run. */
async function inPart({ engine, vnic }: EngineVnic, { notes }: EngineClouds, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ServiceError) || error instanceof CloudPausedError) throw error;
    notes.troubles.push({ vnicId: vnic?.id ?? null, reason: error.message, passes: isUnderWay(error, engine) });
  }
}

/** Nova takes no port for a server that it is still building, and its time for one that it has taken. */
function isUnderWay(error: ServiceError, { status, attempts }: Engine): boolean {
  if (error instanceof NotYetError) return true;
  const refusal = error instanceof PassedThroughError ? error.status : undefined;
  return (refusal === 409 && status === 'BUILDING') || (refusal === 504 && attempts < PATIENCE);
}

async function putVnic({ engine, vnic }: EngineVnic, clouds: EngineClouds, have?: EngineVnic): Promise<void> {
  if (vnic === null) return;
  const { db, network } = clouds;
  const port = await widenPort(have?.port ?? (await makePort(engine, vnic, clouds)), vnic, network);
  if (!isRecorded(vnic, port)) {
    const { id: portId, macAddress } = port;
    await recordVnicPort(db, vnic.id, { portId, macAddress, ipAddress: addressOf(port) });
  }
  if (!have?.pluggedInto) await plugIn(engine, port, clouds);
}

/**
 * Nova writes its server into the port first and shows it as plugged in last: a call that seemed lost may be in between. It
 * goes on showing a port whose network refused to bind it, and unplugs none such (Nova 26, seen).
 */
async function plugIn(engine: Engine, port: Port, { compute, network, notes }: EngineClouds): Promise<void> {
  if (!notes.server) return;
  if (port.bindingFailed) {
    await network.updatePort(port.id, { deviceId: '', deviceOwner: ENGINE_PORT_OWNER, unbind: true });
  } else if (port.deviceId === notes.server.id) {
    if (engine.attempts < PATIENCE) throw new NotYetError(`port ${port.id} is being plugged in`);
    await network.updatePort(port.id, { deviceId: '', deviceOwner: ENGINE_PORT_OWNER });
  }
  await compute.attachPort?.(notes.server.id, port.id);
}

function isRecorded(vnic: Vnic, port: Port): boolean {
  return vnic.portId === port.id && vnic.macAddress === port.macAddress && vnic.ipAddress === addressOf(port);
}

function addressOf({ fixedIps }: Port): string | null {
  return fixedIps[0]?.ipAddress ?? null;
}

function missingSubnets({ subnetIds }: Vnic, { fixedIps }: Port): readonly string[] {
  return subnetIds.filter((id) => !fixedIps.some(({ subnetId }) => subnetId === id));
}

/** A vNIC that is wanted in further subnets of its network gets an address in each. */
async function widenPort(port: Port, vnic: Vnic, network: NetworkDriver): Promise<Port> {
  const missing = missingSubnets(vnic, port);
  if (missing.length === 0 || network.acceptsAnything) return port;
  const fixedIps = [...port.fixedIps, ...missing.map((subnetId) => ({ subnetId }))];
  return network.updatePort(port.id, { fixedIps }, { ifRevision: port.revision });
}

/** What is plugged in belongs to the project of the server; the others to that of their network. */
async function makePort(engine: Engine, vnic: Vnic, clouds: EngineClouds): Promise<Port> {
  const { network } = clouds;
  const found = await network.findNetwork(vnic.networkId);
  if (!found) throw new InvalidReferenceError('Network', vnic.networkId);
  const plugs = plugsPorts(clouds);
  return network.createPort({
    name: vnicPortName(vnic.id),
    projectId: plugs ? engine.ownerProjectId : found.projectId,
    networkId: vnic.networkId,
    fixedIps: vnic.subnetIds.map((subnetId) => ({ subnetId })),
    deviceId: plugs ? '' : engine.id,
    deviceOwner: ENGINE_PORT_OWNER,
    adminStateUp: true,
    ...(await clouds.vnicPort?.(vnic)),
    ...(plugs && { description: enginePortDescription(ownerTagOf(clouds), engine.id) }),
  });
}

/** How often it is looked whether a port is out, and milliseconds between two looks. */
const LOOKS = 10;
const LOOK_AFTER = 300;

/** A port whose server goes with it needs no unplugging, and its server may not answer. */
async function removePort(
  { engine, port, pluggedInto }: EngineVnic,
  { compute, network }: EngineClouds,
): Promise<void> {
  if (port === null) return;
  if (pluggedInto !== null && !engine.deleting) {
    await compute.detachPort?.(pluggedInto, port.id);
    for (let look = 0; (await compute.listServerPorts?.(pluggedInto))?.includes(port.id); look += 1) {
      if (look === LOOKS) throw new NotYetError(`port ${port.id} is being unplugged`);
      await sleep(LOOK_AFTER);
    }
  }
  await network.deletePort(port.id);
}
