import { toBit } from '../../../driver/db/codecs';
import type { NewMember } from '../../../driver/db/members';
import type { MemberRow } from '../../../driver/db/rows';
import { flagOr, type MemberGraph, type MemberUpdate } from '../../changes/bodies';
import { type Writers, writeColumns } from '../../changes/columns';

/** Of new traffic, in relation to the other members' weights. */
const DEFAULT_WEIGHT = 1;

/** The row of a new member, with every default. The body has been checked. */
export function buildMember(body: MemberGraph, parents: { id: string; projectId: string; poolId: string }): NewMember {
  return {
    id: parents.id,
    project_id: parents.projectId,
    pool_id: parents.poolId,
    name: body.name ?? '',
    enabled: toBit(flagOr(body.admin_state_up, true)),
    subnet_id: body.subnet_id ?? null,
    ip_address: body.address ?? '',
    protocol_port: body.protocol_port ?? 0,
    weight: body.weight ?? DEFAULT_WEIGHT,
    backup: toBit(flagOr(body.backup, false)),
    monitor_address: body.monitor_address ?? null,
    monitor_port: body.monitor_port ?? null,
    vnic_type: body.request_sriov ? 'direct' : 'normal',
  };
}

const WRITERS: Writers<MemberUpdate, MemberRow> = {
  name: (value) => ({ name: value ?? '' }),
  admin_state_up: (value) => ({ enabled: toBit(value === true) }),
  weight: (value) => ({ weight: value ?? DEFAULT_WEIGHT }),
  backup: (value) => ({ backup: toBit(value === true) }),
  monitor_address: (value) => ({ monitor_address: value }),
  monitor_port: (value) => ({ monitor_port: value }),
};

/** What a PUT writes. */
export function changeMember(body: MemberUpdate): Partial<MemberRow> {
  return writeColumns(body, WRITERS);
}

/** What a batch writes over a member that is there: fields that are not given go back to a new member's, but for the name. */
export function replaceMember(body: MemberGraph): Partial<MemberRow> {
  return {
    ...(body.name !== undefined && { name: body.name ?? '' }),
    enabled: toBit(flagOr(body.admin_state_up, true)),
    weight: body.weight ?? DEFAULT_WEIGHT,
    backup: toBit(flagOr(body.backup, false)),
    monitor_address: body.monitor_address ?? null,
    monitor_port: body.monitor_port ?? null,
  };
}
