import type { OperatingStatus, ProvisioningStatus } from '../domain/status';
import { toDbTime } from './codecs';
import type { Bit, Time } from './rows';

/** The columns that every new object of a tree has alike. */
export interface NewTreeColumns {
  readonly provisioning_status: ProvisioningStatus;
  readonly operating_status: OperatingStatus;
  readonly deleting: Bit;
  readonly created_at: Time;
  readonly updated_at: null;
}

/** PENDING_CREATE and OFFLINE unless said otherwise. */
export function newTreeColumns(at: Date, operatingStatus: OperatingStatus = 'OFFLINE'): NewTreeColumns {
  return {
    provisioning_status: 'PENDING_CREATE',
    operating_status: operatingStatus,
    deleting: 0,
    created_at: toDbTime(at),
    updated_at: null,
  };
}

/** What an update may write into an object's row. */
export type RowChange<Row> = Partial<
  Omit<Row, 'id' | 'project_id' | 'created_at' | 'provisioning_status' | 'deleting'>
>;

/** An object's row less what `newTreeColumns` gives. */
export type NewRow<Row> = Omit<Row, keyof NewTreeColumns>;
