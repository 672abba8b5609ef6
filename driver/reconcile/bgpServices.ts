import { randomBytes, randomUUID } from 'node:crypto';
import type { BgpServiceRequest, Interface } from '../clouds/contrail/port';
import {
  findBgpServiceById,
  findBgpServiceFor,
  insertBgpService,
  isBgpServiceNeeded,
  removeBgpService,
  updateBgpService,
} from '../db/bgpServices';
import { findGroupName } from '../db/groups';
import { type BgpService, bgpSecretContext } from '../domain/bgp';
import { PassedThroughError } from '../domain/errors';
import { bgpServiceName } from './contrailNames';
import type { ContrailParts } from './contrailTarget';
import type { EngineRun } from './engineRun';
import { underGroupLease } from './groupObjects';

/** One that has been looked at lately is believed, for so many milliseconds. */
const BELIEVED = 60_000;

interface Wanted {
  readonly networkId: string;
  /** That is to join: the service is made in its project. */
  readonly port: Interface;
  /** The port has left it without our doing: it may be gone. */
  readonly again: boolean;
}

/**
 * The service of BGP of the engine's group in the network, made with the first that needs it, under the lease of the group.
 * @throws PassedThroughError for an AS that cannot be
 */
export async function keepBgpService(run: EngineRun, contrail: ContrailParts, wanted: Wanted): Promise<BgpService> {
  const { parts, engine } = run;
  const place = { groupId: engine.groupId, networkId: wanted.networkId };
  const known = await findBgpServiceFor(parts.db, place);
  const seen = contrail.seenServices;
  const isFresh = known && performance.now() - (seen.get(known.id) ?? Number.NEGATIVE_INFINITY) < BELIEVED;
  if (known && isFresh && !wanted.again && isAsSet(known, contrail)) return known;
  const kept: { service?: BgpService } = {};
  await underGroupLease(parts, engine.groupId, async () => {
    const row = await findBgpServiceFor(parts.db, place);
    kept.service = await bringAbout(run, contrail, { row, wanted });
  });
  if (!kept.service) throw new Error('the service of BGP was not brought about');
  seen.set(kept.service.id, performance.now());
  return kept.service;
}

function isAsSet({ localAs, timers }: BgpService, { settings: { bgp } }: ContrailParts): boolean {
  return localAs === bgp.localAs && timers.hold === bgp.hold && timers.keepalive === bgp.keepalive;
}

async function bringAbout(
  run: EngineRun,
  contrail: ContrailParts,
  { row, wanted }: { readonly row: BgpService | undefined; readonly wanted: Wanted },
): Promise<BgpService> {
  const { parts, engine } = run;
  const { db } = parts;
  const { driver, settings } = contrail;
  const remoteAs = await checkAs(contrail);
  const places = await driver.bgpPlaces(wanted.networkId);
  checkPlaces(places, wanted.networkId);
  const { localAs, keepalive, hold, connectRetry, bfd } = settings.bgp;
  const now = { localAs, remoteAs, places, timers: { keepalive, hold, connectRetry, bfd } };
  const secret = await secretFor(run, contrail, row);
  const service: BgpService = row
    ? { ...row, ...now, md5Secret: secret.sealed }
    : { id: randomUUID(), groupId: engine.groupId, networkId: wanted.networkId, ...now, md5Secret: secret.sealed };
  // The row first: whatever is made can be found again.
  if (!row) await insertBgpService(db, service);
  else if (JSON.stringify(row) !== JSON.stringify(service)) await updateBgpService(db, service);
  await run.before(`bgp-service: ensure ${service.id}`);
  await driver.ensureBgpService(
    requestOf(service, contrail, { project: wanted.port.project, md5Secret: secret.clear }),
  );
  return service;
}

function requestOf(
  { id, localAs, groupId }: BgpService,
  contrail: ContrailParts,
  { project, md5Secret }: Pick<BgpServiceRequest, 'project' | 'md5Secret'>,
): BgpServiceRequest {
  const { hold, bfd, isBfdLogged } = contrail.settings.bgp;
  return {
    ...{ id, name: bgpServiceName(contrail, id), project, localAs, md5Secret, ownerId: groupId, holdTime: hold },
    // The vRouter takes the time-out for the shortest pause between packets it can follow: RFC 5880, section 4.1.
    bfd: isBfdLogged
      ? bfd && { monitor: 'BFD', interval: bfd.interval, timeout: bfd.interval, retries: bfd.multiplier }
      : null,
  };
}

/** The API takes an AS that the control nodes then ignore without a word. */
export async function checkAs({ driver, settings }: Pick<ContrailParts, 'driver' | 'settings'>): Promise<number> {
  const { autonomousSystem, fourByteAs } = await driver.bgpGlobals();
  const { localAs } = settings.bgp;
  const about = `[contrail] bgp_local_as = ${localAs}`;
  if (localAs === autonomousSystem) {
    throw new PassedThroughError(
      409,
      `${about} is the AS of Contrail's control nodes: they set up no session within their own AS; engines need another one`,
    );
  }
  if (localAs > 65_535 && !fourByteAs) {
    throw new PassedThroughError(409, `${about} has more than two bytes: Contrail takes it with enable_4byte_as alone`);
  }
  return autonomousSystem;
}

/** In a network without IPv4 a port gets a router without an address, and no session. */
function checkPlaces(places: BgpService['places'], networkId: string): void {
  if (places.some(({ gateway }) => gateway?.includes('.'))) return;
  throw new PassedThroughError(
    409,
    `network ${networkId} has no IPv4 subnet with a gateway: sessions of BGP as a Service are set up over IPv4 alone`,
  );
}

interface Secret {
  readonly clear: string | null;
  readonly sealed: string | null;
}

const NO_SECRET: Secret = { clear: null, sealed: null };
/** Bytes; BIRD takes 80 characters, some routers 25. */
const SECRET_BYTES = 18;

async function secretFor(
  { parts, engine }: EngineRun,
  contrail: ContrailParts,
  row: BgpService | undefined,
): Promise<Secret> {
  const { md5Groups } = contrail.settings.bgp;
  if (md5Groups.length === 0) return NO_SECRET;
  const name = await findGroupName(parts.db, engine.groupId);
  if (!md5Groups.includes(engine.groupId) && (name === undefined || !md5Groups.includes(name))) return NO_SECRET;
  const { sealer } = contrail;
  if (!sealer) {
    throw new PassedThroughError(
      409,
      'sessions of this group are to have a secret, which nothing can seal: set [certificates] server_certs_key_passphrase',
    );
  }
  const context = bgpSecretContext(engine.groupId);
  if (row?.md5Secret) return { clear: sealer.open(row.md5Secret, context), sealed: row.md5Secret };
  const clear = randomBytes(SECRET_BYTES).toString('base64url');
  return { clear, sealed: sealer.seal(clear, context) };
}

/** Takes the service away once no engine is in it, or has to be, besides the vNIC that is leaving. */
export async function dropBgpService(
  run: EngineRun,
  contrail: ContrailParts,
  { serviceId, leaving }: { readonly serviceId: string; readonly leaving: string },
): Promise<void> {
  const { parts, engine } = run;
  const found = await findBgpServiceById(parts.db, serviceId);
  if (!found || (await isBgpServiceNeeded(parts.db, found, leaving))) return;
  await underGroupLease(parts, engine.groupId, async () => {
    if (await isBgpServiceNeeded(parts.db, found, leaving)) return;
    await run.before(`bgp-service: remove ${serviceId}`);
    await contrail.driver.deleteBgpService(serviceId);
    await removeBgpService(parts.db, serviceId);
    contrail.seenServices.delete(serviceId);
  });
}
