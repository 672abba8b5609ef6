import type { ComputeDriver, Server } from '../../clouds/compute/port';
import { recordServer, startBuilding } from '../../db/engines';
import { type Engine, hashToken, hasServed, newToken } from '../../domain/engine';
import { UnavailableError } from '../../domain/errors';
import { type EngineClouds, type EngineTarget, LostServerError } from '../engineRun';
import { prepareGroup } from '../groupObjects';
import type { Kind } from '../kind';
import { makeManagementPort } from './managementPort';

/** A server of an engine. */
export interface EngineServer {
  readonly engine: Engine;
  readonly name: string;
  /** Null while there is none. */
  readonly computeId: string | null;
  readonly managementAddress: string | null;
  readonly host: string | null;
  readonly broken: boolean;
  /** Why, in the compute service's words, if it says so. */
  readonly fault: string | null;
  readonly launchedAt: string | null;
  /** The engine has another one, which stays. */
  readonly surplus: boolean;
}

/** The compute service could not build the server. It is gone again; the next run makes another one. */
export class BrokenServerError extends UnavailableError {}

/** Keeps one server for an engine that is to stay. Of several the recorded one stays: the others were made by calls that seemed lost. */
export const engineServer: Kind<EngineServer, EngineTarget, EngineClouds> = {
  name: 'server',
  key: ({ engine, computeId, surplus }) => (surplus ? `${engine.id} ${computeId}` : engine.id),
  desired: ({ engine }) => (engine.deleting ? [] : [wantedServer(engine)]),
  observed: async ({ engine }, { compute, notes }) => {
    const servers = await findServers(engine, compute);
    const stays =
      servers.find(({ id }) => id === engine.computeId) ??
      servers.find(({ status }) => status !== 'ERROR') ??
      servers[0];
    if (stays) notes.server = stays;
    return servers.map((server) => describeServer(engine, server, { surplus: server !== stays, notes }));
  },
  same: (want, have) =>
    !have.broken &&
    want.computeId === have.computeId &&
    want.managementAddress === have.managementAddress &&
    want.host === have.host &&
    want.launchedAt === have.launchedAt,
  put: (want, clouds, have) => (have ? keepServer(have, clouds) : makeServer(want, clouds)),
  remove: ({ computeId }, { compute }) => (computeId === null ? Promise.resolve() : compute.deleteServer(computeId)),
};

function wantedServer(engine: Engine): EngineServer {
  const { name, computeId, managementAddress, host, serverLaunchedAt: launchedAt } = engine;
  return { engine, name, computeId, managementAddress, host, launchedAt, broken: false, fault: null, surplus: false };
}

/** One that is recorded and there needs no look at all of them; twins that came late are found in bulk. */
async function findServers(engine: Engine, compute: ComputeDriver): Promise<readonly Server[]> {
  const { computeId } = engine;
  if (computeId !== null && !engine.deleting && compute.findServer) {
    const server = await compute.findServer(computeId);
    if (server?.engineId === engine.id) return [server];
  }
  return (await compute.listServers(engine.ownerProjectId)).filter(({ engineId }) => engineId === engine.id);
}

function describeServer(
  engine: Engine,
  server: Server,
  { surplus, notes }: { readonly surplus: boolean; readonly notes: EngineClouds['notes'] },
): EngineServer {
  const { id, name, host, status, fault = null, launchedAt = null } = server;
  // The port is there before the server shows its address.
  const managementAddress = notes.managementPort?.fixedIps[0]?.ipAddress ?? server.managementAddress;
  return {
    engine,
    name,
    computeId: id,
    managementAddress,
    host,
    broken: status === 'ERROR',
    fault,
    launchedAt,
    surplus,
  };
}

async function keepServer(have: EngineServer, { db, compute }: EngineClouds): Promise<void> {
  const { engine, computeId, launchedAt } = have;
  if (have.broken && computeId !== null) await judgeBroken(have, computeId, compute);
  const isOther = engine.serverLaunchedAt !== null && launchedAt !== null && engine.serverLaunchedAt !== launchedAt;
  if (isOther && computeId !== null && (await compute.wasRebuilt?.(computeId))) {
    throw new LostServerError(`its server ${computeId} was rebuilt at ${launchedAt}`);
  }
  await recordServer(db, engine.id, have);
}

/** The guest of a server in ERROR may well run: a migration that failed does that. An engine that calls is left alone. */
async function judgeBroken({ engine, fault }: EngineServer, computeId: string, compute: ComputeDriver): Promise<void> {
  // Nova's list has no words of a server that no host could take.
  const words = fault ?? (await compute.findServer?.(computeId))?.fault;
  const why = words ? `: ${words}` : '';
  if (!hasServed(engine)) {
    await compute.deleteServer(computeId);
    throw new BrokenServerError(`the compute service could not build its server${why}`);
  }
  if (engine.connectedTo === null) throw new LostServerError(`its server ${computeId} is in ERROR${why}`);
}

/** Each attempt has a token of its own: a server that a lost call made after all cannot enrol beside its successor. */
async function makeServer({ engine, name }: EngineServer, clouds: EngineClouds): Promise<void> {
  const { db, compute, network, controllers, caFingerprint, sealer, notes } = clouds;
  if (engine.computeId !== null && hasServed(engine)) {
    throw new LostServerError(`its server ${engine.computeId} is gone, and this service has not deleted it`);
  }
  const token = newToken();
  // Of a server that is going: Nova lets go of the port by and by, and would of its successor's.
  if (notes.managementPort && notes.managementPort.deviceId !== '') {
    await network.deletePort(notes.managementPort.id);
    await makeManagementPort(engine, clouds);
  }
  const port = notes.managementPort;
  const managementAddress = port?.fixedIps[0]?.ipAddress ?? null;
  await startBuilding(db, engine.id, {
    tokenHash: hashToken(token, { engineId: engine.id, sealer }),
    managementAddress,
  });
  const { id: engineId, groupId, availabilityZone, computeFlavor, ownerProjectId } = engine;
  const imageTag = engine.imageTag ?? engine.groupImageTag ?? null;
  await prepareGroup(clouds, engine);
  const server = await compute.createServer({
    ...{ engineId, name, token, controllers, caFingerprint, groupId },
    ...(port && { portIds: [port.id] }),
    ...(availabilityZone !== null && { availabilityZone }),
    ...(computeFlavor !== null && { flavorId: computeFlavor }),
    ...(imageTag !== null && { imageTag }),
    ...(ownerProjectId !== null && { projectId: ownerProjectId }),
  });
  notes.server = server;
  await recordServer(db, engineId, describeServer(engine, server, { surplus: false, notes }));
}
