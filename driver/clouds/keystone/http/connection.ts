import { readFileSync } from 'node:fs';
import {
  BrokenCircuitError,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  halfJitterGenerator,
  handleType,
  handleWhen,
  type IPolicy,
  retry,
  wrap,
} from 'cockatiel';
import type { Logger } from 'pino';
import { Agent } from 'undici';
import { BadValueError, type Config } from '../../../config/config';
import { Outage, unavailable } from './outage';
import { type Answer, type Call, send } from './send';

/** Calls to one Keystone, with the manners that go with them. */
export interface KeystoneConnection {
  /**
   * One call, repeated when its connection breaks: every call made here may be made twice.
   * @throws UnavailableError when Keystone does not answer, tells of trouble, or has not answered lately
   */
  request(call: Call): Promise<Answer>;
  close(): Promise<void>;
}

/** The options that say how Keystone is reached. */
export type ConnectionSettings = Pick<
  Config['keystone_authtoken'],
  'cafile' | 'certfile' | 'keyfile' | 'insecure' | 'http_connect_timeout' | 'http_request_max_retries'
>;

/** Calls at one time; more wait. */
const CONNECTIONS = 32;
/** Calls in a row that end in an outage, repetitions included, after which none is made for a while. */
const FAILURES = 5;
/** Milliseconds of that while, the first and the longest. */
const PAUSE = { initialDelay: 1_000, maxDelay: 10_000, generator: halfJitterGenerator };
/** Milliseconds before a repetition, the first and the longest. */
const REPEAT = { initialDelay: 50, maxDelay: 1_000, generator: halfJitterGenerator };

/** @throws BadValueError for a file that cannot be read */
export function connectKeystone(settings: ConnectionSettings, log: Logger): KeystoneConnection {
  const timeout = settings.http_connect_timeout * 1000;
  const dispatcher = new Agent({ connections: CONNECTIONS, connect: { timeout, ...tlsOptions(settings) } });
  const policy = createPolicy(settings.http_request_max_retries, log);
  return {
    async request(call) {
      const signal = AbortSignal.timeout(timeout);
      try {
        return await policy.execute(() => send(call, { dispatcher, signal }));
      } catch (error) {
        throw unavailable(error instanceof BrokenCircuitError ? 'it has not answered lately' : error);
      }
    },
    close: () => dispatcher.destroy(),
  };
}

function createPolicy(maxAttempts: number, log: Logger): IPolicy {
  const breaker = circuitBreaker(handleType(Outage), {
    halfOpenAfter: new ExponentialBackoff(PAUSE),
    breaker: new ConsecutiveBreaker(FAILURES),
  });
  breaker.onBreak((reason) => {
    const cause = 'error' in reason ? reason.error.message : undefined;
    log.warn({ cause }, 'Keystone does not answer: requests with tokens not seen lately are refused');
  });
  breaker.onReset(() => log.info('Keystone answers again'));
  const repeat = retry(
    handleWhen((error) => error instanceof Outage && error.isPassing),
    { maxAttempts, backoff: new ExponentialBackoff(REPEAT) },
  );
  return wrap(breaker, repeat);
}

function tlsOptions({ cafile, certfile, keyfile, insecure }: ConnectionSettings) {
  return {
    rejectUnauthorized: !insecure,
    ...(cafile === null ? {} : { ca: readPem('cafile', cafile) }),
    ...(certfile === null ? {} : { cert: readPem('certfile', certfile), key: readPem('keyfile', keyfile ?? certfile) }),
  };
}

function readPem(option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new BadValueError(
      'keystone_authtoken',
      option,
      file,
      `a file that can be read (${(error as Error).message})`,
    );
  }
}
