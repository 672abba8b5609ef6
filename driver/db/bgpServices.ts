import type { BgpService } from '../domain/bgp';
import { fromBit, fromJson, toBit, toJson, toNumber } from './codecs';
import { type Db, dbNow, prepared } from './connect';
import type { BgpServiceRow, SeVnicRow } from './rows';

/** Services of BGP, and the vNICs that are in them. The row is written before the cloud is told and goes after it. */

export async function findBgpServiceFor(db: Db, place: BgpServicePlace): Promise<BgpService | undefined> {
  const row: BgpServiceRow | undefined = await db('bgp_service')
    .where({ service_engine_group_id: place.groupId, network_id: place.networkId })
    .first('*');
  return row && toService(row);
}

export interface BgpServicePlace {
  readonly groupId: string;
  readonly networkId: string;
}

export async function findBgpServiceById(db: Db, id: string): Promise<BgpService | undefined> {
  const row: BgpServiceRow | undefined = await db('bgp_service').where({ id }).first('*');
  return row && toService(row);
}

export async function insertBgpService(db: Db, service: BgpService): Promise<void> {
  const row = {
    id: service.id,
    service_engine_group_id: service.groupId,
    network_id: service.networkId,
    local_as: service.localAs,
    remote_as: service.remoteAs,
    places: toJson(service.places),
    timers: toJson(service.timers),
    md5_secret: service.md5Secret,
  };
  await db('bgp_service').insert({ ...row, created_at: dbNow(db) });
}

/** What the network and the cloud say of it now. */
export async function updateBgpService(db: Db, service: BgpService): Promise<void> {
  await db('bgp_service')
    .where({ id: service.id })
    .update({
      local_as: service.localAs,
      remote_as: service.remoteAs,
      places: toJson(service.places),
      timers: toJson(service.timers),
      md5_secret: service.md5Secret,
    });
}

/**
 * Notes the AS that control nodes have now. Gives the engines whose sessions rest upon services that had another one, and the
 * engines' own ASes.
 */
export async function changeRemoteAs(
  db: Db,
  remoteAs: number,
): Promise<{ readonly engineIds: readonly string[]; readonly localAs: readonly number[] }> {
  const rows: Pick<BgpServiceRow, 'id' | 'local_as' | 'remote_as'>[] = await db('bgp_service').select(
    ...(['id', 'local_as', 'remote_as'] as const),
  );
  const localAs = [...new Set(rows.map(({ local_as: own }) => toNumber(own)))];
  const ids = rows.filter(({ remote_as: known }) => toNumber(known) !== remoteAs).map(({ id }) => id);
  if (ids.length === 0) return { engineIds: [], localAs };
  await db('bgp_service').whereIn('id', ids).update({ remote_as: remoteAs });
  const engineIds: string[] = await db('se_vnic').whereIn('bgp_service', ids).distinct().pluck('service_engine_id');
  return { engineIds, localAs };
}

export async function removeBgpService(db: Db, id: string): Promise<void> {
  await db('bgp_service').where({ id }).delete();
}

/** A vNIC whose port is, or is to be, in a service of BGP. */
export interface BgpVnic {
  readonly vnicId: string;
  readonly networkId: string;
  readonly portId: string | null;
  /** A load balancer on it is announced. */
  readonly wanted: boolean;
  readonly serviceId: string | null;
  readonly joined: boolean;
  readonly trouble: string | null;
}

type BgpVnicRow = Pick<
  SeVnicRow,
  'id' | 'network_id' | 'port_id' | 'bgp_service' | 'bgp_joined' | 'bgp_trouble' | 'deleting'
> & { is_wanted: number };

const ANNOUNCED = `exists (select 1 from vnic_use u join load_balancer lb on lb.id = u.load_balancer_id
  where u.se_vnic_id = v.id and lb.vip_mode = 'bgp')`;

/** Those of an engine that are in a service or have to be. */
export async function listBgpVnics(db: Db, engineId: string): Promise<readonly BgpVnic[]> {
  const rows = await prepared<BgpVnicRow>(
    db,
    `select v.id, v.network_id, v.port_id, v.bgp_service, v.bgp_joined, v.bgp_trouble, v.deleting,
        case when v.deleting = 0 and coalesce(v.vip_side, 1) = 1 and ${ANNOUNCED} then 1 else 0 end as is_wanted
      from se_vnic v where v.service_engine_id = ? and v.domain_id is not null order by v.created_at, v.id`,
    [engineId],
  );
  return rows
    .map((row) => ({
      vnicId: row.id,
      networkId: row.network_id,
      portId: row.port_id,
      wanted: Number(row.is_wanted) === 1,
      serviceId: row.bgp_service,
      joined: row.bgp_joined !== null && fromBit(row.bgp_joined),
      trouble: row.bgp_trouble,
    }))
    .filter(({ wanted, serviceId }) => wanted || serviceId !== null);
}

/** Notes where a vNIC stands with its service. */
export async function noteBgp(
  db: Db,
  vnicId: string,
  { serviceId, joined, trouble }: Pick<BgpVnic, 'serviceId' | 'joined' | 'trouble'>,
): Promise<void> {
  await db('se_vnic')
    .where({ id: vnicId })
    .update({ bgp_service: serviceId, bgp_joined: toBit(joined), bgp_trouble: trouble });
}

/** Whether a vNIC but the one that is leaving is in the service, or has to be in one of its group and network. */
export async function isBgpServiceNeeded(
  db: Db,
  { id, groupId, networkId }: BgpService,
  leaving: string,
): Promise<boolean> {
  const [row] = await prepared<{ id: string }>(
    db,
    `select v.id from se_vnic v join service_engine e on e.id = v.service_engine_id
      where (v.bgp_service = ? and v.id <> ?) or (e.service_engine_group_id = ? and e.deleting = 0 and v.network_id = ? and v.deleting = 0
        and ${ANNOUNCED}) limit 1`,
    [id, leaving, groupId, networkId],
  );
  return row !== undefined;
}

/** What the sessions of an engine rest upon: by vNIC. */
export async function listBgpOfEngines(db: Db, engineIds: readonly string[]): Promise<ReadonlyMap<string, BgpService>> {
  if (engineIds.length === 0) return new Map();
  const rows: (BgpServiceRow & { vnic_id: string })[] = await db('se_vnic as v')
    .join('bgp_service as s', 's.id', 'v.bgp_service')
    .whereIn('v.service_engine_id', engineIds)
    .select('s.*', 'v.id as vnic_id');
  return new Map(rows.map((row) => [row.vnic_id, toService(row)]));
}

/** How the engines of a load balancer stand in its network: their vNICs by port. */
export async function listBgpStates(db: Db, portIds: readonly string[]): Promise<ReadonlyMap<string, BgpState>> {
  const rows: Pick<SeVnicRow, 'port_id' | 'bgp_joined' | 'bgp_trouble'>[] = await db('se_vnic')
    .whereIn('port_id', portIds)
    .select('port_id', 'bgp_joined', 'bgp_trouble');
  return new Map(
    rows.flatMap(({ port_id: portId, bgp_joined: joined, bgp_trouble: trouble }) =>
      portId === null ? [] : [[portId, { joined: joined !== null && fromBit(joined), trouble }]],
    ),
  );
}

export interface BgpState {
  readonly joined: boolean;
  readonly trouble: string | null;
}

function toService(row: BgpServiceRow): BgpService {
  return {
    id: row.id,
    groupId: row.service_engine_group_id,
    networkId: row.network_id,
    localAs: toNumber(row.local_as),
    remoteAs: toNumber(row.remote_as),
    places: fromJson<BgpService['places']>(row.places),
    timers: fromJson<BgpService['timers']>(row.timers),
    md5Secret: row.md5_secret,
  };
}
