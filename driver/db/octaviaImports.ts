import { fromJson, toJson } from './codecs';
import { type Db, dbNow } from './connect';
import type { OctaviaImportRow } from './rows';

/** How far load balancers are on their way from Octavia. A row says what is about to be done before it is done. */

export type ImportState = OctaviaImportRow['state'];

/** What the ports of amphorae let through beside their own address, before the VIPs were taken out of it. */
export type PairsBefore = Readonly<Record<string, readonly string[]>>;

export interface OctaviaImport {
  readonly loadBalancerId: string;
  readonly state: ImportState;
  /** What Octavia showed, and when it had last changed: as an undo leaves it. */
  readonly octaviaStatus: string;
  readonly octaviaUpdatedAt: string | null;
  /** `updated_at` in Octavia's row while it is locked: by it this import is known to hold the lock. */
  readonly mark: string;
  readonly pairsBefore: PairsBefore;
}

export async function findImport(db: Db, loadBalancerId: string): Promise<OctaviaImport | undefined> {
  const row: OctaviaImportRow | undefined = await db('octavia_import')
    .where({ load_balancer_id: loadBalancerId })
    .first('*');
  return row && read(row);
}

/** Those that have begun and are neither confirmed nor undone, and the confirmed ones. */
export async function listImports(db: Db): Promise<OctaviaImport[]> {
  const rows: OctaviaImportRow[] = await db('octavia_import').orderBy(['created_at', 'load_balancer_id']);
  return rows.map(read);
}

export async function beginImport(
  db: Db,
  { loadBalancerId, octaviaStatus, octaviaUpdatedAt, mark }: Omit<OctaviaImport, 'state' | 'pairsBefore'>,
): Promise<void> {
  await db('octavia_import').insert({
    load_balancer_id: loadBalancerId,
    state: 'locking',
    octavia_status: octaviaStatus,
    octavia_updated_at: octaviaUpdatedAt,
    mark,
    created_at: dbNow(db),
  });
}

export async function moveImport(
  db: Db,
  loadBalancerId: string,
  change: { readonly state?: ImportState; readonly pairsBefore?: PairsBefore },
): Promise<void> {
  await db('octavia_import')
    .where({ load_balancer_id: loadBalancerId })
    .update({
      ...(change.state && { state: change.state }),
      ...(change.pairsBefore && { address_pairs: toJson(change.pairsBefore) }),
      updated_at: dbNow(db),
    });
}

export async function forgetImport(db: Db, loadBalancerId: string): Promise<void> {
  await db('octavia_import').where({ load_balancer_id: loadBalancerId }).delete();
}

function read(row: OctaviaImportRow): OctaviaImport {
  return {
    loadBalancerId: row.load_balancer_id,
    state: row.state,
    octaviaStatus: row.octavia_status,
    octaviaUpdatedAt: row.octavia_updated_at,
    mark: row.mark,
    pairsBefore: row.address_pairs === null ? {} : fromJson<PairsBefore>(row.address_pairs),
  };
}
