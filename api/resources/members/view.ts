import { fromBit, toApiTime } from '../../../driver/db/codecs';
import type { Db } from '../../../driver/db/connect';
import { type MemberRead, members } from '../../../driver/db/read/members';
import { splitTexts } from '../../../driver/db/read/relations';
import type { Schemas } from '../../openapi/schemas';
import type { Kind } from '../kinds';
import { showWithin } from '../showWithin';

export type MemberView = Schemas['MemberView'];

/** A member as the API shows it; the order of keys is Octavia's. */
export function memberView(row: MemberRead): MemberView {
  return {
    id: row.id,
    name: row.name,
    operating_status: row.operating_status,
    provisioning_status: row.provisioning_status,
    admin_state_up: fromBit(row.enabled),
    address: row.ip_address,
    protocol_port: row.protocol_port,
    weight: row.weight,
    backup: fromBit(row.backup),
    subnet_id: row.subnet_id,
    project_id: row.project_id,
    created_at: toApiTime(row.created_at),
    updated_at: toApiTime(row.updated_at),
    monitor_address: row.monitor_address,
    monitor_port: row.monitor_port,
    tags: splitTexts(row.tags),
    vnic_type: row.vnic_type,
    tenant_id: row.project_id,
  };
}

export const MEMBER: Kind<MemberRead, MemberView> = {
  model: members,
  view: memberView,
  table: 'member',
  title: 'Member',
  object: 'member',
  root: 'member',
  plural: 'members',
  idParam: 'member_id',
};

/** What a command answers with; sees its own transaction. */
export function showMember(db: Db, id: string): Promise<MemberView> {
  return showWithin(db, MEMBER, id);
}
