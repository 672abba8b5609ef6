import { toDbTime } from './codecs';
import type { Db } from './connect';
import { insertRows } from './insertRows';
import { type NewRow, newTreeColumns, type RowChange } from './newRows';
import type { MemberRow } from './rows';

export type NewMember = NewRow<MemberRow>;

/** NO_MONITOR without a monitor on the pool, else OFFLINE until the first report. */
export async function insertMembers(
  db: Db,
  members: readonly NewMember[],
  { monitored, at }: { monitored: boolean; at: Date },
): Promise<void> {
  const columns = newTreeColumns(at, monitored ? 'OFFLINE' : 'NO_MONITOR');
  await insertRows(
    db,
    'member',
    members.map((member) => ({ ...member, ...columns })),
  );
}

export async function findMember(db: Db, poolId: string, id: string): Promise<MemberRow | undefined> {
  return db<MemberRow>('member').where({ id, pool_id: poolId }).first();
}

export async function listMembers(db: Db, poolId: string): Promise<MemberRow[]> {
  return db<MemberRow>('member').where({ pool_id: poolId }).orderBy(['created_at', 'id']);
}

export async function hasMemberAt(db: Db, member: Pick<NewMember, 'pool_id' | 'ip_address' | 'protocol_port'>) {
  const { pool_id, ip_address, protocol_port } = member;
  return (await db('member').where({ pool_id, ip_address, protocol_port }).first('id')) !== undefined;
}

/** Shows PENDING_UPDATE; what was to be deleted is wanted again. */
export async function updateMember(db: Db, id: string, columns: RowChange<MemberRow>, at: Date): Promise<void> {
  await db('member')
    .where({ id })
    .update({ ...columns, provisioning_status: 'PENDING_UPDATE', deleting: 0, updated_at: toDbTime(at) });
}
