import type { ProviderDict } from '../../driver/db/providerDicts';

/** Octavia's names for a few keys differ inside update dictionaries, each kind in its own way. */
type Renames = Readonly<Record<string, string>>;

export const ENABLED: Renames = { admin_state_up: 'enabled' };
export const POOL_RENAMES: Renames = {
  ...ENABLED,
  tls_container_ref: 'tls_certificate_id',
  ca_tls_container_ref: 'ca_tls_certificate_id',
  crl_container_ref: 'crl_container_id',
};
export const MONITOR_RENAMES: Renames = {
  ...ENABLED,
  max_retries: 'rise_threshold',
  max_retries_down: 'fall_threshold',
};
export const BATCH_MEMBER_RENAMES: Renames = { ...ENABLED, member_id: 'id', address: 'ip_address' };

export function rename(dict: ProviderDict, renames: Renames): ProviderDict {
  return Object.fromEntries(Object.entries(dict).map(([key, value]) => [renames[key] ?? key, value]));
}

/** What an update changes: of the object as it is now, the keys its request named; tags are no part of providers' objects. */
export function updatesOf(after: ProviderDict, body: object, renames: Renames = {}): ProviderDict {
  const named = Object.entries(after).filter(([key]) => key in body);
  return rename(Object.fromEntries(named), renames);
}
