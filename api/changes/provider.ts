import { UnsupportedOptionError } from '../../driver/domain/errors';
import type { ChangeSettings } from './settings';

/**
 * What the data plane cannot carry here is refused when all else is in order, as Octavia's driver does: `kinds` are the
 * protocols and monitor types of the objects to be made.
 * @throws UnsupportedOptionError (501)
 */
export function checkCarried(
  kinds: readonly (string | null | undefined)[],
  { sctp, defaultProvider }: Pick<ChangeSettings, 'sctp' | 'defaultProvider'>,
): void {
  if (sctp || !kinds.includes('SCTP')) return;
  throw new UnsupportedOptionError(defaultProvider, 'SCTP is not enabled in this deployment.');
}
