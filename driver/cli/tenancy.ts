import { BadValueError, type Config } from '../config/config';
import { serviceCredentials } from './serviceLogin';

/**
 * Refuses a mode of tenancy that the login of this service cannot carry.
 * @throws BadValueError that says what stands in the way
 */
export function requireTenancy(config: Config): void {
  const { tenancy_mode: mode } = config.service_engine;
  if (mode !== 'tenant' || config.controller_worker.compute_driver !== 'nova') return;
  if (serviceCredentials(config).auth_type !== 'v3applicationcredential') return;
  const expected =
    'service or single with an application credential ([service_auth] auth_type): it lets into its own project alone';
  throw new BadValueError('service_engine', 'tenancy_mode', mode, expected);
}
