import type { Logger } from 'pino';
import { createNoopCompute } from '../clouds/compute/noop';
import type { ComputeDriver } from '../clouds/compute/port';
import { createKeystoneValidator, type KeystoneValidator } from '../clouds/keystone/http';
import { createNoopNetwork } from '../clouds/network/noop';
import type { NetworkDriver } from '../clouds/network/port';
import { BadValueError, type Config } from '../config/config';

/** The drivers a process of its own can have. Those of the embedded site live within `all-in-one`. */
export interface Drivers {
  readonly network: NetworkDriver;
  readonly compute: ComputeDriver;
}

/** @throws BadValueError for a driver that this version does not have, or has within `all-in-one` alone */
export function createDrivers({ controller_worker: worker }: Config): Drivers {
  if (worker.network_driver !== 'noop') throw unusable('network_driver', worker.network_driver);
  if (worker.compute_driver !== 'noop') throw unusable('compute_driver', worker.compute_driver);
  return { network: createNoopNetwork(), compute: createNoopCompute() };
}

/**
 * Who tells the API whose a token is; undefined with `noauth`.
 * @throws BadValueError for credentials that cannot be complete
 */
export function openTokens({ api_settings: api, keystone_authtoken: settings }: Config, log: Logger) {
  return api.auth_strategy === 'keystone' ? createKeystoneValidator(settings, { log }) : undefined;
}

/** Logs in ahead of the first request, so that wrong credentials show in the log of the start. Nothing waits for it. */
export function logInEarly({ session }: KeystoneValidator, log: Logger): void {
  session.userId().then(
    (userId) => log.info({ user_id: userId }, 'Keystone knows this service'),
    ({ message, cause }) => log.warn({ cause: cause?.message ?? message }, 'Keystone cannot be asked yet'),
  );
}

function unusable(option: string, value: string): BadValueError {
  const expected =
    value === 'local' ? 'noop (local works within "slipstream all-in-one")' : 'noop: this version has no other yet';
  return new BadValueError('controller_worker', option, value, expected);
}
