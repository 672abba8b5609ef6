import type { Logger } from 'pino';
import type { ContrailDriver } from '../clouds/contrail/port';
import { BadValueError, type Config } from '../config/config';
import { PassedThroughError } from '../domain/errors';

/** The longest a start waits for Contrail, in milliseconds: one that is away holds nothing up. */
const PATIENCE = 5_000;

/**
 * Looks whether Contrail lets this service do its work, and whether the engines' AS can have sessions there.
 * @throws BadValueError that says what is lacking
 */
export async function checkContrail(
  { bgpGlobals }: Pick<ContrailDriver, 'bgpGlobals'>,
  { contrail, controller_worker }: Pick<Config, 'contrail' | 'controller_worker'>,
  log: Logger,
): Promise<void> {
  const globals = await inTime(bgpGlobals()).catch((error: unknown) => {
    if (error instanceof PassedThroughError && error.status === 403) {
      throw new BadValueError('controller_worker', 'network_driver', controller_worker.network_driver, error.message);
    }
    const { message, cause } = error as Error;
    log.warn({ cause: cause instanceof Error ? cause.message : message }, 'Contrail cannot be asked yet');
    return undefined;
  });
  if (globals?.autonomousSystem !== contrail.bgp_local_as) return;
  const expected = `another AS than that of Contrail's control nodes (autonomous_system of the global-system-config): they set up no session within their own`;
  throw new BadValueError('contrail', 'bgp_local_as', String(contrail.bgp_local_as), expected);
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), PATIENCE);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
