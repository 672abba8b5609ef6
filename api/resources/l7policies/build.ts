import { toBit } from '../../../driver/db/codecs';
import type { NewL7Policy } from '../../../driver/db/l7Policies';
import type { L7PolicyRow } from '../../../driver/db/rows';
import { flagOr, type L7PolicyGraph, type L7PolicyUpdate } from '../../changes/bodies';
import { type Writers, writeColumns } from '../../changes/columns';
import { type Redirect, readRedirect } from './rules';

/** What a new policy is given besides its body. */
export interface L7PolicyParents {
  readonly id: string;
  readonly projectId: string;
  readonly listenerId: string;
  /** Its place, from 1. */
  readonly position: number;
  readonly redirect: Redirect;
}

type PolicyFields = Pick<L7PolicyGraph, 'name' | 'description' | 'admin_state_up'>;

/** The row of a new policy. */
export function buildL7Policy(body: PolicyFields, parents: L7PolicyParents): NewL7Policy {
  return {
    id: parents.id,
    project_id: parents.projectId,
    listener_id: parents.listenerId,
    name: body.name ?? '',
    description: body.description ?? '',
    enabled: toBit(flagOr(body.admin_state_up, true)),
    position: parents.position,
    ...parents.redirect,
  };
}

/** Where a new or moved policy comes to stand among `count` places: beyond the end means last. */
export function placeAt(position: number | null | undefined, count: number): number {
  return Math.min(position ?? count, count);
}

const WRITERS: Writers<L7PolicyUpdate, L7PolicyRow> = {
  name: (value) => ({ name: value ?? '' }),
  description: (value) => ({ description: value ?? '' }),
  admin_state_up: (value) => ({ enabled: toBit(value === true) }),
};

/**
 * What a PUT writes, but for the position.
 * @throws ServiceError for a redirect that does not add up
 */
export function changeL7Policy(body: L7PolicyUpdate, stored: L7PolicyRow): Partial<L7PolicyRow> {
  return { ...writeColumns(body, WRITERS), ...readRedirect(body, stored) };
}
