import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { Agent } from 'undici';
import { UnavailableError } from '../../domain/errors';
import type { KeystoneSession } from '../keystone/http/session';
import { CALLS, createPolicy, reasonOf } from '../openstack/manners';
import { createPace, type Pace } from '../openstack/pace';
import { Outage } from '../openstack/send';
import { sendOnce, type VncAnswer, type VncCall } from './send';

/** The configuration API of Contrail, whichever of its servers answers. */
export interface VncService {
  /**
   * One call. What the API refuses is an answer. A server that does not answer is left alone for a while and the next one
   * is asked, unless the call may have been carried out.
   * @throws UnavailableError when no server answers, or none has answered lately
   */
  call(call: VncCall): Promise<VncAnswer>;
  close(): Promise<void>;
}

export interface VncServiceDeps {
  /** `http://host:8082` each; several are equals. */
  readonly servers: readonly string[];
  /** Absent: nobody has to log in. */
  readonly session?: Pick<KeystoneSession, 'token'>;
  readonly log: Logger;
  readonly caFile?: string | null;
  readonly insecure?: boolean;
  /** Milliseconds a call may take. */
  readonly timeout?: number;
  readonly pace?: Pace;
}

const NAME = 'Contrail';
const PACE: Pace = { perSecond: 100, burst: 200 };
const TIMEOUT = 20_000;
const CONNECT_TIMEOUT = 3_000;
const REPETITIONS = 3;

/** Opens no connection before the first call. @throws what the file system says of the CA file */
export function openVncService(deps: VncServiceDeps): VncService {
  const { servers, session, log, timeout = TIMEOUT } = deps;
  const { caFile = null, insecure = false } = deps;
  const dispatcher = new Agent({
    connections: CALLS,
    connect: {
      timeout: CONNECT_TIMEOUT,
      rejectUnauthorized: !insecure,
      ...(caFile !== null && { ca: readFileSync(caFile) }),
    },
  });
  const policy = createPolicy({ name: NAME, log, repetitions: Math.max(REPETITIONS, servers.length) });
  const turn = createPace(deps.pace ?? PACE);
  const choice = createChoice(servers, log);
  const send = (call: VncCall, token: string | null): Promise<VncAnswer> =>
    policy.execute(async () => {
      await turn();
      const address = choice.current();
      try {
        return await sendOnce({ address, dispatcher, token, timeout }, call);
      } catch (error) {
        if (error instanceof Outage) choice.leave(address, error.message);
        throw error;
      }
    });
  return {
    async call(call) {
      try {
        const token = (await session?.token()) ?? null;
        const answer = await send(call, token);
        if (answer.status !== 401) return answer;
        // Nobody's change is wrong for it: it is the server that is.
        if (!session) throw new Outage('Contrail wants a token, and this service is to have none', false);
        const again = await send(call, await session.token(token ?? undefined));
        if (again.status === 401) throw new Outage('Contrail refuses the token of this service', false);
        return again;
      } catch (error) {
        throw unavailable(error);
      }
    },
    close: () => dispatcher.close(),
  };
}

/** One server is asked until it fails; equals need no balancing, and fewer connections are held. */
function createChoice(servers: readonly string[], log: Logger) {
  let index = 0;
  return {
    current: (): string => servers[index % servers.length] ?? '',
    leave(address: string, cause: string): void {
      // Several calls fail at once when a server dies: only the first moves on.
      if (servers.length < 2 || servers[index % servers.length] !== address) return;
      index += 1;
      log.warn(
        { server: address, next: servers[index % servers.length], cause },
        'another Contrail API server is asked',
      );
    },
  };
}

function unavailable(cause: unknown): UnavailableError {
  if (cause instanceof UnavailableError) return cause;
  return new UnavailableError('The Contrail API is temporarily unavailable.', { cause: reasonOf(NAME, cause) });
}
