import { type EngineCandidate, vnicKey } from '../domain/placement';
import { fromBit, splitIds, toNumber } from './codecs';
import { type Db, idList, prepared } from './connect';
import type { Bit, EngineStatus } from './rows';

interface CandidateRow {
  id: string;
  status: EngineStatus;
  deleting: Bit;
  connected_to: string | null;
  slots: number;
  slots_used: number;
  host: string | null;
  availability_zone: string | null;
  compute_flavor: string | null;
  image_tag: string | null;
  project_id: string | null;
  per_app: Bit | null;
  avoided: Bit | null;
  owner_project_id: string | null;
  generation: number;
  networks: string | null;
  domains: string | null;
  cut_from: string | null;
}

/** A candidate, and what its row said when it was read. */
export interface ReadCandidate extends EngineCandidate {
  readonly generation: number;
}

/** The engines of a group, as placement sees them. */
export async function listCandidates(db: Db, groupId: string): Promise<ReadCandidate[]> {
  const vnics = { from: 'se_vnic v', where: 'v.service_engine_id = e.id', orderBy: 'v.id' };
  // One that is being unplugged still takes a place, in a network that nobody needs.
  const networks = idList('case when v.deleting = 1 then v.id else v.network_id end', vnics);
  const rows = await prepared<CandidateRow>(
    db,
    `select e.id, e.status, e.deleting, e.connected_to, e.slots, e.slots_used, e.host, e.availability_zone,
      e.compute_flavor, e.image_tag, e.project_id, e.per_app, e.avoided, e.owner_project_id, e.generation, ${networks} as networks,
      ${idList("coalesce(v.domain_id, '-')", vnics)} as domains,
      ${idList('r.domain_id', { from: 'engine_reach r', where: 'r.service_engine_id = e.id and r.cut_since is not null', orderBy: 'r.domain_id' })} as cut_from
      from service_engine e where e.service_engine_group_id = ?`,
    [groupId],
  );
  return rows.map(toCandidate);
}

function toCandidate(row: CandidateRow): ReadCandidate {
  const domains = splitIds(row.domains);
  const serves = row.slots_used > 0;
  const cutFrom = splitIds(row.cut_from);
  return {
    id: row.id,
    status: row.status,
    deleting: fromBit(row.deleting),
    connected: row.connected_to !== null,
    slots: row.slots,
    slotsUsed: row.slots_used,
    host: row.host,
    zone: row.availability_zone,
    computeFlavor: row.compute_flavor,
    imageTag: row.image_tag,
    projectId: serves ? row.project_id : null,
    ownerProjectId: row.owner_project_id,
    ...(row.avoided !== null && fromBit(row.avoided) && { avoided: true }),
    ...(cutFrom.length > 0 && { cutFrom }),
    perApp: serves && row.per_app !== null && fromBit(row.per_app),
    vnics: splitIds(row.networks).map((networkId, index) => {
      const domainId = domains[index] ?? '-';
      return vnicKey(domainId === '-' ? null : domainId, networkId);
    }),
    generation: toNumber(row.generation),
  };
}
